//! Counts what a request asks of the database and answers. The receipt and the tests read it; what is too much is refused.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{
    error::{Error, ErrorCode, Result},
    model::Timestamp,
};

/// Statements run, rows given or changed, and the bytes of what a request reads and answers, which have a limit.
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
    /// With a limit for the bytes that are read, and for those that are answered.
    pub(in crate::db) fn within(max_bytes: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { statements: zero(), rows: zero(), bytes_read: zero(), bytes_answered: zero(), max_bytes }
    }

    /// Counts bytes of rows that were read; an error when they are more than may be answered.
    pub(crate) fn read(&self, bytes: usize) -> Result<()> {
        self.count(&self.bytes_read, bytes)
    }

    /// Counts bytes of the answer before they are held for it; an error when there are too many.
    pub fn answer(&self, bytes: usize) -> Result<()> {
        self.count(&self.bytes_answered, bytes)
    }

    /// How many bytes the answer may have.
    pub fn max_bytes(&self) -> usize {
        usize::try_from(self.max_bytes).unwrap_or(usize::MAX)
    }

    /// How many bytes the answer may still grow by.
    pub fn bytes_left(&self) -> usize {
        let left = self.max_bytes.saturating_sub(self.bytes_answered.load(Relaxed));
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// Whether there were too many bytes of either kind: the request has no answer then.
    pub fn is_exhausted(&self) -> bool {
        self.bytes_read.load(Relaxed) > self.max_bytes || self.bytes_answered.load(Relaxed) > self.max_bytes
    }

    /// The error of an answer that is too large.
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

    /// Statements sent to the database; beginning and ending a transaction is not counted.
    pub fn statements(&self) -> u64 {
        self.statements.load(Relaxed)
    }

    /// Rows returned or changed by them.
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
