//! Answers that are larger than the limit: one error takes the place of everything, so that no client reads a part of an
//! answer as the whole of it.

use async_graphql::{Response, ServerError};

use super::json_writer::Json;
use crate::{
    db::Meter,
    error::{Error, ErrorCode},
    graphql::error,
};

/// Replaces a response of whose request the meter is exhausted: no data, and one error, where the limit was met.
pub fn refuse(response: &mut Response, meter: &Meter, is_query: bool, request_id: &str) {
    let is_met = |error: &&ServerError| {
        error.source::<Error>().is_some_and(|ours: &Error| ours.code() == ErrorCode::QueryTooComplex)
    };
    let mut refusal = error::server_error(&too_large(meter, is_query), request_id);
    if let Some(met) = response.errors.iter().find(is_met) {
        refusal.path.clone_from(&met.path);
        refusal.locations.clone_from(&met.locations);
    }
    *response = Response::from_errors(vec![refusal]);
}

/// The response as JSON text, or one that says that it would be too large.
pub fn text(response: &Response, meter: &Meter, is_query: bool, request_id: &str) -> serde_json::Result<String> {
    let text = if response.errors.is_empty() {
        Json::of(response, meter.max_bytes())
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
    let message = format!("{}; what the mutation changed stays changed", error.message());
    error.with_message(message)
}
