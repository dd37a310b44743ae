//! The error type: what a client may see, and the cause, which only the log contains. `graphql::error` maps it to GraphQL.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

/// The kinds of errors that clients can distinguish, as `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request has no credentials, or invalid ones.
    Unauthenticated,
    /// The role or scope of the principal is not sufficient.
    Forbidden,
    /// Nothing with the id exists that is visible to the principal.
    NotFound,
    /// The input is invalid; `extensions.field` names the argument or field.
    BadUserInput,
    /// The request conflicts with the stored data.
    Conflict,
    /// A rate limit was exceeded; `extensions.retryAfter` is the number of seconds to wait.
    RateLimited,
    /// The document or its response exceeds a limit.
    QueryTooComplex,
    /// A time limit was exceeded.
    Timeout,
    /// The document has a syntax error.
    GraphqlParseFailed,
    /// No document with this hash is stored: send the hash with the document.
    PersistedQueryNotFound,
    /// The document is invalid for the schema.
    GraphqlValidationFailed,
    /// An internal error; the log has its cause under `extensions.requestId`.
    Internal,
}

impl ErrorCode {
    /// The value of `extensions.code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Conflict => "CONFLICT",
            Self::RateLimited => "RATE_LIMITED",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::Timeout => "TIMEOUT",
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Distinguishes errors with the same code, as `extensions.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user must change the password first.
    PasswordChangeRequired,
}

impl Reason {
    /// The value of `extensions.reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChangeRequired => "PASSWORD_CHANGE_REQUIRED",
        }
    }
}

/// An error. Cheap to clone, so that a failed batch can fail each of its keys.
#[derive(Clone, Debug)]
pub struct Error {
    code: ErrorCode,
    message: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    location: Option<(usize, usize)>,
    retry_after: Option<u64>,
    reason: Option<Reason>,
    recorded: bool,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error whose message is returned to clients.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            location: None,
            retry_after: None,
            reason: None,
            recorded: false,
            cause: None,
        }
    }

    /// The error of a request that requires authentication.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "authentication required: send an access token or an API token")
    }

    /// Invalid input, with the name of the argument or field.
    pub fn bad_input(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::BadUserInput, message) }
    }

    /// A conflict with the stored data, with the name of the argument or field.
    pub fn conflict(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::Conflict, message) }
    }

    /// An exceeded rate limit, with the number of seconds after which the request can be retried.
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(ErrorCode::RateLimited, message) }
    }

    /// Adds the number of seconds after which to retry.
    #[must_use]
    pub fn with_retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Adds the reason.
    #[must_use]
    pub fn with_reason(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Marks the error as recorded in the audit log.
    #[must_use]
    pub fn mark_recorded(self) -> Self {
        Self { recorded: true, ..self }
    }

    /// An internal error: clients see a fixed message, and the log has the cause.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: Some(Arc::from(cause.into())), ..Self::new(ErrorCode::Internal, "internal error") }
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn caused_by(self, cause: impl StdError + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    /// Replaces the message and keeps the cause.
    #[must_use]
    pub fn with_message(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Adds the line and column in the document.
    #[must_use]
    pub fn with_location(self, location: Option<(usize, usize)>) -> Self {
        Self { location, ..self }
    }

    /// The kind of error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message for clients.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The argument or field that is invalid.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The line and column in the document, counted from 1.
    #[must_use]
    pub fn location(&self) -> Option<(usize, usize)> {
        self.location
    }

    /// The number of seconds after which to retry.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// The reason, if the code has several.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Returns true if the error is recorded in the audit log.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// The cause, which only the log contains.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.cause.as_deref()
    }

    /// The message and all causes in one line, for logs and the command line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.message.to_string();
        let mut next = self.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            // Some errors end with the text of their own cause.
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {}
