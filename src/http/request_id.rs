//! The id of a request, for the response, the log lines and internal errors.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    response::Response,
};
use uuid::Uuid;

use super::client_address::{ClientConnection, Peer};

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

/// The id of a proxy, if it has 1 to 64 letters, digits, `-`, `_` or `.`: other characters could corrupt the log.
fn proxy_id(header: Option<&HeaderValue>) -> Option<Arc<str>> {
    let id = header?.to_str().ok()?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(is_allowed)).then(|| id.into())
}
