//! The size limit of a response. A response that exceeds it is replaced by one error, so that no client mistakes a part of the
//! data for all of it.

use async_graphql::{Response, ServerError};

use super::json_writer::Json;
use crate::{
    db::Meter,
    error::{Error, ErrorCode},
    graphql::error,
};

/// Replaces the response of a request that exhausted its meter by one error, with the path at which the limit was reached.
pub fn replace_by_error(response: &mut Response, meter: &Meter, is_query: bool, request_id: &str) {
    let is_limit_error = |error: &&ServerError| {
        error.source::<Error>().is_some_and(|ours: &Error| ours.code() == ErrorCode::QueryTooComplex)
    };
    let mut replacement = error::server_error(&too_large(meter, is_query), request_id);
    if let Some(first) = response.errors.iter().find(is_limit_error) {
        replacement.path.clone_from(&first.path);
        replacement.locations.clone_from(&first.locations);
    }
    *response = Response::from_errors(vec![replacement]);
}

/// The response as JSON text, or an error response if the text exceeds the limit.
pub fn to_json(response: &Response, meter: &Meter, is_query: bool, request_id: &str) -> serde_json::Result<String> {
    let text = if response.errors.is_empty() {
        Json::from_response(response, meter.max_bytes())
    } else {
        Some(serde_json::to_string(response)?).filter(|text| text.len() <= meter.max_bytes())
    };
    match text {
        Some(text) => Ok(text),
        None => serde_json::to_string(&error::error_response(&too_large(meter, is_query), request_id)),
    }
}

fn too_large(meter: &Meter, is_query: bool) -> Error {
    let error = meter.too_large();
    if is_query {
        return error;
    }
    let message = format!("{}; the changes of the mutation are committed", error.message());
    error.with_message(message)
}
