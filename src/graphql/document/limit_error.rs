//! Errors for exceeded limits. Each names the count, the limit and the setting that changes it.

use std::fmt::Display;

use crate::error::{Error, ErrorCode};

/// `query complexity 60000 exceeds the limit of 50000 (GUARDIANEYE_MAX_COST)`
pub fn limit_exceeded(counted: impl Display, limit: impl Display, setting: &str) -> Error {
    let message = format!("{counted} exceeds the limit of {limit} (GUARDIANEYE_{setting})");
    Error::new(ErrorCode::QueryTooComplex, message)
}

/// `more than 20 root fields (GUARDIANEYE_MAX_ROOT_FIELDS)`: for counts that stop at the limit.
pub fn more_than(limit: usize, counted: impl Display, setting: &str) -> Error {
    Error::new(ErrorCode::QueryTooComplex, format!("more than {limit} {counted} (GUARDIANEYE_{setting})"))
}
