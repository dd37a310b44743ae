//! Logs the end of every request, and turns panics into internal errors.

use std::{any::Any, panic::AssertUnwindSafe};

use axum::{Extension, extract::Request, http::StatusCode, middleware::Next, response::Response};
use futures_util::FutureExt;
use tracing::Instrument;

use super::{
    RequestId, client_address::ClientConnection, error_response::error_response, media_type::ResponseMediaType,
};
use crate::error::Error;

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
