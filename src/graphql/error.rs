//! From this program's errors to GraphQL's: the code, and of an internal cause nothing but the request id.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Name, Pos, Response, ServerError, Value, indexmap::IndexMap};

use super::json::Json;
use crate::error::{Code, Error};

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        Self::new_with_source(error)
    }
}

/// A response that was refused before anything was executed.
#[must_use]
pub fn refused(error: &Error, request_id: &str) -> Response {
    Response::from_errors(vec![refusal(error, request_id)])
}

/// One error of such a response.
pub(super) fn refusal(error: &Error, request_id: &str) -> ServerError {
    let location = error.location().map(|(line, column)| Pos { line, column });
    let mut refusal = ServerError::new(error.message(), location);
    refusal.extensions = Some(extensions(error, request_id));
    refusal.source = Some(Arc::new(error.clone()));
    refusal
}

/// In how many seconds to send the request again, if an error says so.
#[must_use]
pub fn retry_after(error: &ServerError) -> Option<u64> {
    match error.extensions.as_ref()?.get("retryAfter")? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    }
}

/// Gives every error of an executed request its code, and writes internal causes to the log, once each.
pub(super) fn finish(response: &mut Response, request_id: &str) {
    let mut causes = Vec::new();
    for error in &mut response.errors {
        let ours = error.source::<Error>().cloned().unwrap_or_else(|| code_of_library_error(error));
        if ours.code() == Code::Internal {
            ours.message().clone_into(&mut error.message);
            let cause = ours.chain();
            if !causes.contains(&cause) {
                tracing::error!(request_id, path = ?error.path, error = cause, "internal error");
                causes.push(cause);
            }
        }
        // The caller's to know, but whoever runs the server looks for an index.
        if ours.code() == Code::Timeout {
            tracing::warn!(request_id, path = ?error.path, error = ours.chain(), "stopped");
        }
        error.extensions = Some(extensions(&ours, request_id));
        error.source = None;
    }
}

/// The library's own errors carry no code. One with a path happened while a value was read for a resolver.
fn code_of_library_error(error: &ServerError) -> Error {
    let code = if error.path.is_empty() { Code::GraphqlValidationFailed } else { Code::BadUserInput };
    Error::new(code, error.message.clone())
}

fn extensions(error: &Error, request_id: &str) -> ErrorExtensionValues {
    let mut values = ErrorExtensionValues::default();
    values.set("code", error.code().as_str());
    if let Some(field) = error.field() {
        values.set("field", field);
    }
    if let Some(seconds) = error.retry_after() {
        values.set("retryAfter", seconds);
    }
    if error.code() == Code::Internal {
        values.set("requestId", request_id);
    }
    values
}

/// What a request cost, for `extensions.receipt`.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub request_id: String,
    /// What the operation cost, of the minute's budget; none when it was refused before that was known.
    pub cost: Option<u64>,
    /// SQL statements, authentication included.
    pub statements: u64,
    /// Rows those statements returned or changed.
    pub rows: u64,
    /// From the request's arrival, in milliseconds.
    pub duration_ms: f64,
}

impl Receipt {
    /// As JSON text.
    #[must_use]
    pub fn to_json(self) -> String {
        Json::of_value(&self.into())
    }
}

impl From<Receipt> for Value {
    fn from(receipt: Receipt) -> Self {
        let fields = [
            ("requestId", Value::from(receipt.request_id)),
            ("cost", receipt.cost.map_or(Value::Null, Value::from)),
            ("statements", receipt.statements.into()),
            ("rows", receipt.rows.into()),
            ("durationMs", receipt.duration_ms.into()),
        ];
        Value::Object(fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect::<IndexMap<_, _>>())
    }
}
