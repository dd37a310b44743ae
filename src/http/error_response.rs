//! Error responses of all routes: a GraphQL request error with a code, in the media type that the client accepts.

use axum::{
    Extension,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{RequestId, media_type::ResponseMediaType};
use crate::{
    error::{Error, ErrorCode},
    graphql,
};

/// The response to a request that was not executed. Logs the cause of an internal error.
pub fn error_response(media_type: ResponseMediaType, status: StatusCode, error: &Error, id: &RequestId) -> Response {
    if error.code() == ErrorCode::Internal {
        tracing::error!(error = error.chain(), "internal error");
    }
    let mut response = request_error_response(media_type, status, &graphql::error_response(error, &id.id));
    let (name, value) = match status {
        StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer"),
        // The server would parse the rest of the body as the next request.
        StatusCode::REQUEST_TIMEOUT => (header::CONNECTION, "close"),
        _ => return response,
    };
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// The body when the error itself cannot be serialized. The header `X-Request-Id` has the id of the request.
const FALLBACK_BODY: &str = r#"{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}"#;

/// A response without `data` (a request error of the GraphQL specification). `retryAfter` of an error also becomes the header
/// `Retry-After`.
pub fn request_error_response(
    media_type: ResponseMediaType,
    status: StatusCode,
    response: &async_graphql::Response,
) -> Response {
    #[derive(serde::Serialize)]
    struct Body<'a> {
        errors: &'a [async_graphql::ServerError],
        #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        extensions: &'a std::collections::BTreeMap<String, async_graphql::Value>,
    }
    let retry_after = response.errors.iter().find_map(graphql::retry_after);
    let body = Body { errors: &response.errors, extensions: &response.extensions };
    let mut response = match serde_json::to_vec(&body) {
        Ok(body) => (status, body).into_response(),
        Err(cause) => {
            tracing::error!(error = %cause, "cannot serialize an error response");
            (StatusCode::INTERNAL_SERVER_ERROR, FALLBACK_BODY).into_response()
        }
    };
    media_type.mark(&mut response);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The fallback for unknown paths.
pub async fn not_found(Extension(id): Extension<RequestId>, headers: HeaderMap) -> Response {
    let error = Error::new(ErrorCode::NotFound, "unknown path; the GraphQL endpoint is /graphql");
    error_response(ResponseMediaType::accepted_or_json(&headers), StatusCode::NOT_FOUND, &error, &id)
}

/// The fallback for unsupported methods; the router adds the header `Allow`.
pub async fn method_not_allowed(Extension(id): Extension<RequestId>, headers: HeaderMap) -> Response {
    let error =
        Error::new(ErrorCode::BadUserInput, "unsupported method; the header Allow lists the methods of this path");
    error_response(ResponseMediaType::accepted_or_json(&headers), StatusCode::METHOD_NOT_ALLOWED, &error, &id)
}
