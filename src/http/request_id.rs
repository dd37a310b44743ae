//! Gives every request an id, which the answer, the log lines and internal errors carry, and logs how it ended,
//! also when that was a panic.

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
    client::{Proxy, Remote},
    media_type::MediaType,
    refusal,
};
use crate::error::Error;

pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request and when it arrived; an extension of every request.
#[derive(Clone, Debug)]
pub struct RequestId {
    pub id: Arc<str>,
    pub arrived: Instant,
}

impl RequestId {
    /// The id that a trusted proxy gave the request, else one of our own: any other client could write what it likes into
    /// the log.
    pub fn of(request: &Request, remote: &Remote) -> Self {
        let header = request.headers().get(&X_REQUEST_ID).filter(|_| remote.proxy == Proxy::Trusted);
        let id = taken_over(header).unwrap_or_else(|| Uuid::new_v4().to_string().into());
        Self { id, arrived: Instant::now() }
    }

    /// Names it in the answer.
    pub fn mark(&self, response: &mut Response) {
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(X_REQUEST_ID.clone(), value);
        }
    }
}

/// The middleware around all routes.
pub async fn trace(Extension(request_id): Extension<RequestId>, request: Request, next: Next) -> Response {
    let span = tracing::info_span!("request", request_id = &*request_id.id);
    let client = request.extensions().get::<Remote>().and_then(|remote| remote.ip).map(tracing::field::display);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // What a request works on is dropped with it, so nothing half done is seen by the next one.
    let end = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    span.in_scope(|| {
        let response = end.unwrap_or_else(|panic| {
            let error = Error::internal(format!("panicked: {}", text_of(&*panic)));
            refusal::refuse(MediaType::Json, StatusCode::INTERNAL_SERVER_ERROR, &error, &request_id)
        });
        let status = response.status().as_u16();
        let duration_us = u64::try_from(request_id.arrived.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Supervisors ask for the health every few seconds.
        if path.starts_with("/health/") && response.status().is_success() {
            tracing::debug!(%method, path, status, duration_us, client, "answered");
        } else {
            tracing::info!(%method, path, status, duration_us, client, "answered");
        }
        response
    })
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

/// A proxy's id is kept when it is a plain word of up to 64 characters; anything else could disturb the log.
fn taken_over(header: Option<&HeaderValue>) -> Option<Arc<str>> {
    let id = header?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| id.into())
}
