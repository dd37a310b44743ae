//! Conversion between the errors of sqlx and those of this crate.

use crate::error::{Error, ErrorCode};

/// For functions that decode rows and find them invalid.
impl From<Error> for sqlx::Error {
    fn from(error: Error) -> Self {
        Self::Decode(Box::new(error))
    }
}

/// Errors of the database are internal, except for an exceeded statement timeout or acquire timeout. Code that expects a
/// certain error, such as a unique violation, handles it before this conversion.
impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        // An error of this crate that passed through a function with an sqlx result.
        if let sqlx::Error::Decode(inner) = &cause
            && let Some(ours) = inner.downcast_ref::<Self>()
        {
            return ours.clone();
        }
        // PostgreSQL's query_canceled (57014), and SQLite's SQLITE_INTERRUPT (9) from the deadline of `db::pool::sqlite`.
        let code = cause.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let message = match code.as_deref() {
            Some("57014" | "9") => {
                "the database statement exceeded its time limit: request fewer rows or filter more narrowly"
            }
            _ if matches!(cause, sqlx::Error::PoolTimedOut) => {
                "no database connection became available in time: retry later"
            }
            _ => return Self::internal(cause),
        };
        Self::new(ErrorCode::Timeout, message).caused_by(cause)
    }
}
