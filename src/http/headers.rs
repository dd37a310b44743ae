//! Security response headers, and cross-origin resource sharing (CORS).

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{
    App, RequestId,
    client_address::{ClientConnection, Peer},
    idempotency::{IDEMPOTENCY_KEY, REPLAYED},
    request_id::X_REQUEST_ID,
    transport_security::TransportSecurity,
    untrusted_proxy,
};
use crate::config::HttpSettings;

/// The request headers that CORS allows: those that the server reads, the CSRF-preflight header of Apollo's clients, and the
/// headers of tracing.
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

/// One year (RFC 6797). Without `includeSubDomains`, as other hosts of the domain may not support TLS.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The content security policy of responses that are not pages.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// The content security policy of pages that do not set their own.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static("frame-ancestors 'none'");

const SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
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

/// The outermost middleware: determines the client address and the request id, and adds the security headers. A handler may
/// set its own content security policy and cache control.
pub async fn secure(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let connection = ClientConnection::of(&request, &app.http);
    if connection.peer == Peer::UntrustedProxy {
        untrusted_proxy::warn();
    }
    let request_id = RequestId::of(&request, &connection);
    request.extensions_mut().insert(connection);
    request.extensions_mut().insert(request_id.clone());
    let mut response = next.run(request).await;
    request_id.mark(&mut response);
    let headers = response.headers_mut();
    for (name, value) in &SECURITY_HEADERS {
        headers.insert(name, value.clone());
    }
    let policy = if is_page(headers) { PAGE_POLICY } else { API_POLICY };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if connection.transport == TransportSecurity::Tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

/// The CORS layer for the configured origins; None without any. Credentials mode is off: clients send tokens in a header, so
/// there are no ambient credentials.
pub fn cors(settings: &HttpSettings) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = settings.cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let additional = settings.cors_headers.iter().filter_map(|name| name.parse().ok());
    let headers = CORS_HEADERS.into_iter().chain([IDEMPOTENCY_KEY.clone(), X_REQUEST_ID.clone()]).chain(additional);
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(headers.collect::<Vec<HeaderName>>())
            .expose_headers([X_REQUEST_ID.clone(), REPLAYED.clone(), header::RETRY_AFTER])
            .max_age(std::time::Duration::from_hours(1))
    })
}
