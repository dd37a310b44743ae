//! The result of an operation: the response, and what the server needs to know about it.

use async_graphql::{Response, ServerError, Value};

use super::{json_writer::Json, response_size};
use crate::{
    db::Meter,
    error::{Error, Result},
    graphql::{document::Document, error},
};

/// The response of an operation, and whether the operation was executed: a request error has no `data`.
#[derive(Debug)]
pub struct ExecutionResult {
    pub response: Response,
    pub executed: bool,
    /// The complexity of the operation.
    pub complexity: u64,
    root_fields: usize,
    is_query: bool,
}

impl ExecutionResult {
    pub fn new(document: &Document, response: Response) -> Self {
        // Errors of resolvers have a path. Null without one is a request error.
        let executed = response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty());
        Self {
            response,
            executed,
            complexity: document.complexity(),
            root_fields: document.root_fields(),
            is_query: document.is_query(),
        }
    }

    /// Replaces a response that exceeds the size limit by an error.
    pub fn limit_size(&mut self, meter: &Meter, request_id: &str) {
        if meter.is_exhausted() {
            response_size::replace_by_error(&mut self.response, meter, self.is_query, request_id);
        }
    }

    /// The response as JSON text, or an error response if the text exceeds the size limit.
    pub fn to_json(&self, meter: &Meter, request_id: &str) -> Result<String> {
        response_size::to_json(&self.response, meter, self.is_query, request_id).map_err(Error::internal)
    }

    /// The response as JSON text, without the extensions, which differ between requests.
    pub fn to_json_without_extensions(&self) -> Result<String> {
        Json::from_response_without_extensions(&self.response)
    }

    /// Returns true if nothing was changed and the client should retry: the only root field failed with `retryAfter`.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let has_retry_after = |error: &ServerError| error::retry_after(error).is_some();
        self.root_fields == 1 && !self.response.errors.is_empty() && self.response.errors.iter().all(has_retry_after)
    }
}
