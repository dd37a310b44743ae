//! What went wrong, and what of it a client may see. No GraphQL here: `graphql::error` does the mapping.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

/// The kinds of error a client can tell apart, as `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// No login, or a token that does not hold.
    Unauthenticated,
    /// Logged in, but the role or scope is not enough.
    Forbidden,
    /// The thing named by the id is not there, or not to be seen by the caller.
    NotFound,
    /// The input breaks a rule; `extensions.field` names it where there is one.
    BadUserInput,
    /// The request contradicts what is stored.
    Conflict,
    /// Too many tries; `extensions.retryAfter` says in how many seconds to come back.
    RateLimited,
    /// The query is too large.
    QueryTooComplex,
    /// The work took too long and was stopped.
    Timeout,
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// No document is known by this hash: send it once with its text.
    PersistedQueryNotFound,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// Our fault; the cause is in the log under `extensions.requestId`.
    Internal,
}

impl ErrorCode {
    /// The word in `extensions.code`.
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

/// What tells an error from others of its code, as `extensions.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The password of the login has to be changed first.
    PasswordChangeRequired,
}

impl Reason {
    /// The word in `extensions.reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChangeRequired => "PASSWORD_CHANGE_REQUIRED",
        }
    }
}

/// An error of this program. Cheap to clone, so that a failed batch can fail each of its keys.
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

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error a client may see in full.
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

    /// Nobody is logged in, and somebody has to be.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "log in first: this needs an access token")
    }

    /// Input that breaks a rule, with the name of the argument or field.
    pub fn bad_input(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::BadUserInput, message) }
    }

    /// What contradicts what is stored, with the name of the argument or field.
    pub fn conflict(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::Conflict, message) }
    }

    /// Too much in too short a time, with the seconds after which the same would be let through.
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(ErrorCode::RateLimited, message) }
    }

    /// The same error with the seconds after which to try again.
    #[must_use]
    pub fn with_retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same error with a word for programs that have to tell it from others of its code.
    #[must_use]
    pub fn with_reason(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// The same error, which has its entry in the audit log already.
    #[must_use]
    pub fn mark_recorded(self) -> Self {
        Self { recorded: true, ..self }
    }

    /// Our fault: the client sees a fixed sentence, the log sees the cause.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: Some(Arc::from(cause.into())), ..Self::new(ErrorCode::Internal, "internal error") }
    }

    /// The same error under a sentence for whoever runs the program; the cause is kept.
    #[must_use]
    pub fn with_message(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// The same error with its line and column in the document.
    #[must_use]
    pub fn with_location(self, location: Option<(usize, usize)>) -> Self {
        Self { location, ..self }
    }

    /// The kind of error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What a client may read.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The input that is to blame, if one is.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The line and column in the document, from 1, if the error has one of its own.
    #[must_use]
    pub fn location(&self) -> Option<(usize, usize)> {
        self.location
    }

    /// In how many seconds to come back, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// What tells it from others of its code, if something does.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Whether it has its entry in the audit log already.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// What only the log may read.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.cause.as_deref()
    }

    /// The causes from the outermost to the root, in one line, for logs and the command line.
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

/// For functions that read rows, and find that they must not be read.
impl From<Error> for sqlx::Error {
    fn from(error: Error) -> Self {
        Self::Decode(Box::new(error))
    }
}

/// Whatever the database says is our fault, unless the statement's own code said otherwise before, the database stopped
/// the statement because its time was up, or too many others were before it.
impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        // Ours, on its way through a function that returns the database's.
        if let sqlx::Error::Decode(inner) = &cause
            && let Some(ours) = inner.downcast_ref::<Self>()
        {
            return ours.clone();
        }
        // PostgreSQL's query_canceled (57014), and SQLite's SQLITE_INTERRUPT (9) from the deadline of `db::connect`.
        let code = cause.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let message = match code.as_deref() {
            Some("57014" | "9") => "the database took too long for this and was stopped: ask for less",
            _ if matches!(cause, sqlx::Error::PoolTimedOut) => "too many requests are before this one: come back later",
            _ => return Self::internal(cause),
        };
        Self { cause: Some(Arc::new(cause)), ..Self::new(ErrorCode::Timeout, message) }
    }
}
