//! Gives every request an id, which the answer, the log lines and internal errors carry, and logs how it ended.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;
use uuid::Uuid;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request and when it arrived; an extension of every request.
#[derive(Clone, Debug)]
pub struct RequestId {
    pub id: Arc<str>,
    pub arrived: Instant,
}

/// The middleware around all routes.
pub async fn trace(mut request: Request, next: Next) -> Response {
    let id = taken_over(request.headers().get(&X_REQUEST_ID)).unwrap_or_else(|| Uuid::new_v4().to_string().into());
    let request_id = RequestId { id, arrived: Instant::now() };
    request.extensions_mut().insert(request_id.clone());
    let span = tracing::info_span!("request", request_id = &*request_id.id);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        let status = response.status().as_u16();
        let duration_us = u64::try_from(request_id.arrived.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Supervisors ask for the health every few seconds.
        if path.starts_with("/health/") && response.status().is_success() {
            tracing::debug!(%method, path, status, duration_us, "answered");
        } else {
            tracing::info!(%method, path, status, duration_us, "answered");
        }
    });
    if let Ok(value) = HeaderValue::from_str(&request_id.id) {
        response.headers_mut().insert(X_REQUEST_ID.clone(), value);
    }
    response
}

/// A proxy's id is kept when it is a plain word of up to 64 characters; anything else could disturb the log.
fn taken_over(header: Option<&HeaderValue>) -> Option<Arc<str>> {
    let id = header?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| id.into())
}
