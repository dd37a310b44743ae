//! What every answer says to browsers: do not guess, do not keep, do not frame; and which other web pages may ask.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{
    App, RequestId,
    client::{Proxy, Remote, Way},
    idempotency::{IDEMPOTENCY_KEY, REPLAYED},
    request_id::X_REQUEST_ID,
    unnamed_proxy,
};
use crate::config::HttpSettings;

/// The request headers that pages of the listed origins may send: those that the server reads, those by which clients show that
/// no form sent them, and those by which they trace.
const CORS_HEADERS: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("apollo-require-preflight"),
    HeaderName::from_static("baggage"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-receipt"),
];

/// A year, in the words of RFC 6797. Whether other hosts of the domain speak TLS is not ours to say.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// An answer that is no page needs nothing and nobody.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// A page says itself where its parts come from.
const NO_FRAME: HeaderValue = HeaderValue::from_static("frame-ancestors 'none'");

const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

/// The outermost middleware: finds out who asks, and adds the headers. What a handler has set itself stays.
pub async fn secure(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let remote = Remote::of(&request, &app.http);
    if remote.proxy == Proxy::Unnamed {
        unnamed_proxy::warn();
    }
    let request_id = RequestId::of(&request, &remote);
    request.extensions_mut().insert(remote);
    request.extensions_mut().insert(request_id.clone());
    let mut response = next.run(request).await;
    request_id.mark(&mut response);
    let headers = response.headers_mut();
    for (name, value) in &ALWAYS {
        headers.insert(name, value.clone());
    }
    let policy = if is_page(headers) { NO_FRAME } else { NOTHING };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if remote.way == Way::Tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

/// For web pages of the listed origins; none without any. Tokens travel in a header that a page has to set, so there are
/// no credentials for a browser to add.
pub fn cors(settings: &HttpSettings) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = settings.cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let more = settings.cors_headers.iter().filter_map(|name| name.parse().ok());
    let headers = CORS_HEADERS.into_iter().chain([IDEMPOTENCY_KEY.clone(), X_REQUEST_ID.clone()]).chain(more);
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(headers.collect::<Vec<HeaderName>>())
            .expose_headers([X_REQUEST_ID.clone(), REPLAYED.clone(), header::RETRY_AFTER])
            .max_age(std::time::Duration::from_hours(1))
    })
}
