//! The body of a POST: JSON, within the limit, and there in time.

use std::convert::Infallible;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};

use super::{App, media_type::body_is_json};
use crate::error::{Error, ErrorCode};

/// The whole body, or with which status and why it is refused.
#[derive(Debug)]
pub struct JsonBody(pub Result<Bytes, (StatusCode, Error)>);

impl FromRequest<App> for JsonBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Infallible> {
        let is_json = body_is_json(request.headers());
        // Read whatever it is: a client that is cut off while it sends may never see the answer.
        let read = tokio::time::timeout(app.http.body_timeout, Bytes::from_request(request, app)).await;
        let bad = |status, message: String| Err((status, Error::new(ErrorCode::BadUserInput, message)));
        Ok(Self(match read {
            Ok(Ok(_)) if !is_json => {
                let message = "the body must be application/json in UTF-8, and say so in one Content-Type";
                bad(StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned())
            }
            Ok(Ok(body)) => Ok(body),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let message = format!("the body is larger than {} bytes", app.services.limits.body_bytes);
                Err((StatusCode::PAYLOAD_TOO_LARGE, Error::new(ErrorCode::QueryTooComplex, message)))
            }
            Ok(Err(_)) => bad(StatusCode::BAD_REQUEST, "the body could not be read".to_owned()),
            Err(_) => {
                let message = format!("the body was not there after {} s", app.http.body_timeout.as_secs());
                Err((StatusCode::REQUEST_TIMEOUT, Error::new(ErrorCode::Timeout, message)))
            }
        }))
    }
}
