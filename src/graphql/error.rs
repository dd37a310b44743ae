//! Maps errors to GraphQL errors: every error gets its `extensions`, and the cause of an internal error is logged, not returned.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError, Value};

use crate::error::{Error, ErrorCode};

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        Self::new_with_source(error)
    }
}

/// The response to a request that was rejected before execution (a request error in the specification).
#[must_use]
pub fn error_response(error: &Error, request_id: &str) -> Response {
    Response::from_errors(vec![server_error(error, request_id)])
}

/// Converts an error, with all its extensions.
pub(super) fn server_error(error: &Error, request_id: &str) -> ServerError {
    let location = error.location().map(|(line, column)| Pos { line, column });
    let mut server_error = ServerError::new(error.message(), location);
    server_error.extensions = Some(extensions(error, request_id));
    server_error.source = Some(Arc::new(error.clone()));
    server_error
}

/// The seconds after which to retry the request, if the error has `extensions.retryAfter`.
#[must_use]
pub fn retry_after(error: &ServerError) -> Option<u64> {
    match error.extensions.as_ref()?.get("retryAfter")? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    }
}

/// Completes the errors of an executed request: sets their extensions, hides internal messages, and logs each internal cause once.
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
        // The client sees a time-out too, but an operator may have to add an index.
        if ours.code() == ErrorCode::Timeout {
            tracing::warn!(request_id, path = ?error.path, error = ours.chain(), "statement timeout");
        }
        error.extensions = Some(extensions(&ours, request_id));
        error.source = None;
    }
}

/// Gives validation errors of async-graphql, which have no code, the code `GRAPHQL_VALIDATION_FAILED`.
pub(super) fn validation_errors(mut errors: Vec<ServerError>) -> Vec<ServerError> {
    for error in errors.iter_mut().filter(|error| error.source.is_none()) {
        error.source = Some(Arc::new(Error::new(ErrorCode::GraphqlValidationFailed, error.message.clone())));
    }
    errors
}

/// Classifies an error of async-graphql during execution. A failed coercion of an argument is bad input; everything else is
/// internal, because its message may contain anything.
fn library_error(error: &ServerError) -> Error {
    // The prefixes of `InputValueError`, whose type is lost before the error arrives here.
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
    fn an_unknown_error_of_async_graphql_is_internal_and_hides_its_message() {
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
