//! Assigns an id to every request, for the response, the log lines and internal errors; logs the end of every request; turns
//! panics into internal errors.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    Extension,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use super::{
    client_address::{ClientConnection, Peer},
    error_response::error_response,
    media_type::ResponseMediaType,
};
use crate::error::Error;

pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id and the arrival time of a request; an extension of every request.
#[derive(Clone, Debug)]
pub struct RequestId {
    pub id: Arc<str>,
    pub arrived: Instant,
}

impl RequestId {
    /// The id that a trusted proxy sent, else a new one: any other peer could inject arbitrary text into the log.
    pub fn of(request: &Request, connection: &ClientConnection) -> Self {
        let header = request.headers().get(&X_REQUEST_ID).filter(|_| connection.peer == Peer::TrustedProxy);
        let id = proxy_id(header).unwrap_or_else(|| Uuid::new_v4().to_string().into());
        Self { id, arrived: Instant::now() }
    }

    /// Adds the id to the response.
    pub fn mark(&self, response: &mut Response) {
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(X_REQUEST_ID.clone(), value);
        }
    }
}

/// The middleware around all routes.
pub async fn trace(Extension(request_id): Extension<RequestId>, request: Request, next: Next) -> Response {
    let span = tracing::info_span!("request", request_id = &*request_id.id);
    let client = request
        .extensions()
        .get::<ClientConnection>()
        .and_then(|connection| connection.ip)
        .map(tracing::field::display);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // Unwind safety: the state of the request is dropped with the future, so no other request sees it.
    let end = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    span.in_scope(|| {
        let response = end.unwrap_or_else(|panic| {
            let error = Error::internal(format!("panicked: {}", panic_message(&*panic)));
            error_response(ResponseMediaType::Json, StatusCode::INTERNAL_SERVER_ERROR, &error, &request_id)
        });
        let status = response.status().as_u16();
        let duration_us = u64::try_from(request_id.arrived.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Supervisors request the health every few seconds.
        if path.starts_with("/health/") && response.status().is_success() {
            tracing::debug!(%method, path, status, duration_us, client, "responded");
        } else {
            tracing::info!(%method, path, status, duration_us, client, "responded");
        }
        response
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// The id of a proxy, if it has 1 to 64 letters, digits, `-`, `_` or `.`: other characters could corrupt the log.
fn proxy_id(header: Option<&HeaderValue>) -> Option<Arc<str>> {
    let id = header?.to_str().ok()?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(is_allowed)).then(|| id.into())
}
