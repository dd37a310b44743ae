//! From this program's errors to GraphQL's: the code, and of an internal cause nothing but the request id.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Name, Pos, Response, ServerError, Value, indexmap::IndexMap};

use super::execution::Json;
use crate::error::{Error, ErrorCode};

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        Self::new_with_source(error)
    }
}

/// A response that was refused before anything was executed.
#[must_use]
pub fn error_response(error: &Error, request_id: &str) -> Response {
    Response::from_errors(vec![server_error(error, request_id)])
}

/// One error of such a response.
pub(super) fn server_error(error: &Error, request_id: &str) -> ServerError {
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
pub(super) fn finalize_errors(response: &mut Response, request_id: &str) {
    let mut causes = Vec::new();
    for error in &mut response.errors {
        let ours = error.source::<Error>().cloned().unwrap_or_else(|| library_error(error));
        if ours.code() == ErrorCode::Internal {
            ours.message().clone_into(&mut error.message);
            let cause = ours.chain();
            if !causes.contains(&cause) {
                tracing::error!(request_id, path = ?error.path, error = cause, "internal error");
                causes.push(cause);
            }
        }
        // The caller's to know, but whoever runs the server looks for an index.
        if ours.code() == ErrorCode::Timeout {
            tracing::warn!(request_id, path = ?error.path, error = ours.chain(), "stopped");
        }
        error.extensions = Some(extensions(&ours, request_id));
        error.source = None;
    }
}

/// Errors of a document that does not fit the schema: the library's own carry no code.
pub(super) fn validation_errors(mut errors: Vec<ServerError>) -> Vec<ServerError> {
    for error in errors.iter_mut().filter(|error| error.source.is_none()) {
        error.source = Some(Arc::new(Error::new(ErrorCode::GraphqlValidationFailed, error.message.clone())));
    }
    errors
}

/// What an error of the library's own means while an operation runs. An argument that could not be read is the client's to
/// know; anything else is unknown to us, and so is what it tells.
fn library_error(error: &ServerError) -> Error {
    // The beginnings of `InputValueError`, which has no type any more when it arrives here.
    let is_coercion =
        ["Failed to parse \"", "Expected input type \""].iter().any(|start| error.message.starts_with(start));
    if is_coercion && !error.path.is_empty() {
        Error::new(ErrorCode::BadUserInput, error.message.clone())
    } else {
        Error::internal(error.message.clone())
    }
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
    if let Some(reason) = error.reason() {
        values.set("reason", reason.as_str());
    }
    if error.code() == ErrorCode::Internal {
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
    /// SQL statements, authentication included; absent below the role ANALYST.
    pub statements: Option<u64>,
    /// Rows those statements returned or changed; absent below the role ANALYST.
    pub rows: Option<u64>,
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
            ("requestId", Some(Value::from(receipt.request_id))),
            ("cost", Some(receipt.cost.map_or(Value::Null, Value::from))),
            ("statements", receipt.statements.map(Value::from)),
            ("rows", receipt.rows.map(Value::from)),
            ("durationMs", Some(receipt.duration_ms.into())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((Name::new(name), value?)));
        Value::Object(fields.collect::<IndexMap<_, _>>())
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::PathSegment;

    use super::*;

    fn finished(message: &str, path: &[&str], known: bool) -> (String, Value) {
        let mut error = ServerError::new(message, None);
        error.path = path.iter().map(|name| PathSegment::Field((*name).to_owned())).collect();
        let errors = if known { validation_errors(vec![error]) } else { vec![error] };
        let mut response = Response::from_errors(errors);
        finalize_errors(&mut response, "the request");
        let error = response.errors.remove(0);
        let code = error.extensions.as_ref().and_then(|values| values.get("code")).cloned().expect("a code");
        assert_eq!(
            code == Value::from("INTERNAL"),
            error.extensions.is_some_and(|values| values.get("requestId").is_some())
        );
        (error.message, code)
    }

    #[test]
    fn an_unknown_error_of_the_library_is_internal_and_keeps_its_message() {
        let internal = ("internal error".to_owned(), Value::from("INTERNAL"));
        for message in ["Data `guardianeye::services::Services` does not exist.", "Variable a is not defined.", ""] {
            assert_eq!(finished(message, &["users"], false), internal);
            assert_eq!(finished(message, &[], false), internal);
        }
        for message in ["Failed to parse \"DateTime\": no time", "Expected input type \"Int\", found null."] {
            assert_eq!(finished(message, &["users"], false), (message.to_owned(), Value::from("BAD_USER_INPUT")));
            assert_eq!(finished(message, &[], false), internal);
            assert_eq!(finished(message, &[], true), (message.to_owned(), Value::from("GRAPHQL_VALIDATION_FAILED")));
        }
    }
}
