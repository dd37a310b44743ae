//! Counts the statements, rows and bytes of a request, for its receipt, and limits the bytes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{
    error::{Error, ErrorCode, Result},
    model::Timestamp,
};

/// The counters of one request: statements, rows returned or changed, bytes read from the database, and bytes of the response.
/// Each of the two byte counters has the same limit.
#[derive(Debug)]
pub struct Meter {
    statements: AtomicU64,
    rows: AtomicU64,
    bytes_read: AtomicU64,
    bytes_answered: AtomicU64,
    max_bytes: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self::within(u64::MAX)
    }
}

impl Meter {
    /// A meter with a limit for each of the two byte counters.
    pub(in crate::db) fn within(max_bytes: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { statements: zero(), rows: zero(), bytes_read: zero(), bytes_answered: zero(), max_bytes }
    }

    /// Counts bytes of rows that were read. Returns an error above the limit.
    pub(crate) fn read(&self, bytes: usize) -> Result<()> {
        self.count(&self.bytes_read, bytes)
    }

    /// Counts bytes of the response before memory is allocated for them. Returns an error above the limit.
    pub fn answer(&self, bytes: usize) -> Result<()> {
        self.count(&self.bytes_answered, bytes)
    }

    /// The maximum size of the response in bytes.
    pub fn max_bytes(&self) -> usize {
        usize::try_from(self.max_bytes).unwrap_or(usize::MAX)
    }

    /// The number of bytes by which the response may still grow.
    pub fn bytes_left(&self) -> usize {
        let left = self.max_bytes.saturating_sub(self.bytes_answered.load(Relaxed));
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// Returns true if one of the byte counters is above the limit. The request then fails.
    pub fn is_exhausted(&self) -> bool {
        self.bytes_read.load(Relaxed) > self.max_bytes || self.bytes_answered.load(Relaxed) > self.max_bytes
    }

    /// The error of a response that is too large.
    pub fn too_large(&self) -> Error {
        let message = format!(
            "the answer is larger than {} bytes: ask for fewer rows or fields (GUARDIANEYE_MAX_RESPONSE_BYTES)",
            self.max_bytes
        );
        Error::new(ErrorCode::QueryTooComplex, message)
    }

    fn count(&self, counter: &AtomicU64, bytes: usize) -> Result<()> {
        let bytes = bytes as u64;
        let total = counter.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if total > self.max_bytes { Err(self.too_large()) } else { Ok(()) }
    }

    /// The number of statements sent to the database, without those that begin and end transactions.
    pub fn statements(&self) -> u64 {
        self.statements.load(Relaxed)
    }

    /// The number of rows that the statements returned or changed.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// Counts a statement that has run, and its rows.
    pub(in crate::db) fn count_statement(&self, rows: u64) {
        self.statements.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows, Relaxed);
    }
}

/// The number of rows that a statement's result stands for.
pub(in crate::db) trait RowCount {
    /// One, unless the type says otherwise: a scalar or a tuple is a row.
    fn row_count(&self) -> u64 {
        1
    }
}

impl<T> RowCount for Vec<T> {
    fn row_count(&self) -> u64 {
        self.len() as u64
    }
}

impl<T> RowCount for Option<T> {
    fn row_count(&self) -> u64 {
        u64::from(self.is_some())
    }
}

/// The number of rows that a change affected.
impl RowCount for u64 {
    fn row_count(&self) -> u64 {
        *self
    }
}

impl RowCount for i32 {}
impl RowCount for i64 {}
impl RowCount for bool {}
impl RowCount for String {}
impl RowCount for (i64, i64) {}
impl RowCount for (Option<Timestamp>,) {}
impl RowCount for (Option<Timestamp>, Option<Timestamp>) {}
