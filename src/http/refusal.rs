//! Refusals in the one shape that every client reads: GraphQL errors with a code, whatever was asked for.

use axum::{
    Extension,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{RequestId, media_type::MediaType};
use crate::{
    error::{Error, ErrorCode},
    graphql,
};

/// The answer to a request that was not executed. The cause of an internal error goes to the log.
pub fn refuse(media_type: MediaType, status: StatusCode, error: &Error, id: &RequestId) -> Response {
    if error.code() == ErrorCode::Internal {
        tracing::error!(error = error.chain(), "internal error");
    }
    let mut response = request_error(media_type, status, &graphql::refused(error, &id.id));
    let (name, value) = match status {
        StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer"),
        // Whatever else the client was sending would be read as the next request.
        StatusCode::REQUEST_TIMEOUT => (header::CONNECTION, "close"),
        _ => return response,
    };
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// What is answered when the refusal itself cannot be written. The request's id stands in the header `X-Request-Id`.
const UNWRITTEN: &str = r#"{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}"#;

/// A response without `data`: nothing was executed. The `retryAfter` of an error is the header `Retry-After` too.
pub fn request_error(media_type: MediaType, status: StatusCode, response: &async_graphql::Response) -> Response {
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
            tracing::error!(error = %cause, "a refusal could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, UNWRITTEN).into_response()
        }
    };
    media_type.mark(&mut response);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// No such path.
pub async fn not_found(Extension(id): Extension<RequestId>, headers: HeaderMap) -> Response {
    let error = Error::new(ErrorCode::NotFound, "there is nothing at this path; GraphQL is at /graphql");
    refuse(media_type_or_json(&headers), StatusCode::NOT_FOUND, &error, &id)
}

/// The path is right; `Allow`, which the router adds, names the methods that are.
pub async fn method_not_allowed(Extension(id): Extension<RequestId>, headers: HeaderMap) -> Response {
    let error = Error::new(ErrorCode::BadUserInput, "this path does not take this method");
    refuse(media_type_or_json(&headers), StatusCode::METHOD_NOT_ALLOWED, &error, &id)
}

pub fn media_type_or_json(headers: &HeaderMap) -> MediaType {
    MediaType::accepted(headers).unwrap_or(MediaType::Json)
}
