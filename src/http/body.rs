//! Extracts the body of a POST: JSON, within the size limit and the time limit.

use std::convert::Infallible;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};

use super::{App, media_type::body_is_json};
use crate::error::{Error, ErrorCode};

/// The whole body, or the status and the error of the response.
#[derive(Debug)]
pub struct JsonBody(pub Result<Bytes, (StatusCode, Error)>);

impl FromRequest<App> for JsonBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Infallible> {
        let is_json = body_is_json(request.headers());
        // Read the body in any case: a client that is still sending may never read an early response.
        let read = tokio::time::timeout(app.http.body_timeout, Bytes::from_request(request, app)).await;
        let bad = |status, message: String| Err((status, Error::new(ErrorCode::BadUserInput, message)));
        Ok(Self(match read {
            Ok(Ok(_)) if !is_json => {
                let message = "the request must have exactly one header Content-Type: application/json, in UTF-8";
                bad(StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned())
            }
            Ok(Ok(body)) => Ok(body),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let message = format!(
                    "the body exceeds the limit of {} bytes (GUARDIANEYE_MAX_BODY_BYTES)",
                    app.services.limits.body_bytes
                );
                Err((StatusCode::PAYLOAD_TOO_LARGE, Error::new(ErrorCode::QueryTooComplex, message)))
            }
            Ok(Err(_)) => bad(StatusCode::BAD_REQUEST, "cannot read the body".to_owned()),
            Err(_) => {
                let message = format!(
                    "the body was incomplete after {} s (GUARDIANEYE_BODY_TIMEOUT)",
                    app.http.body_timeout.as_secs()
                );
                Err((StatusCode::REQUEST_TIMEOUT, Error::new(ErrorCode::Timeout, message)))
            }
        }))
    }
}
