//! Counts what a request asks of the database. The receipt and the tests read it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{
    error::{Error, Result},
    model::Timestamp,
};

/// Statements run and rows given or changed.
#[derive(Debug, Default)]
pub struct Meter {
    statements: AtomicU64,
    rows: AtomicU64,
}

impl Meter {
    /// Statements sent to the database; beginning and ending a transaction is not counted.
    pub fn statements(&self) -> u64 {
        self.statements.load(Relaxed)
    }

    /// Rows returned or changed by them.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// Counts a statement that has run, and turns a failure into an error of ours.
    pub(crate) fn statement<T: Rows, E: Into<Error>>(&self, result: Result<T, E>) -> Result<T> {
        self.statements.fetch_add(1, Relaxed);
        let result = result.map_err(Into::into)?;
        self.rows.fetch_add(result.rows(), Relaxed);
        Ok(result)
    }
}

/// How many rows a statement's result stands for.
pub trait Rows {
    /// The number of rows.
    fn rows(&self) -> u64;
}

impl<T> Rows for Vec<T> {
    fn rows(&self) -> u64 {
        self.len() as u64
    }
}

impl<T> Rows for Option<T> {
    fn rows(&self) -> u64 {
        u64::from(self.is_some())
    }
}

/// Scalars are one row each.
macro_rules! one_row {
    ($($scalar:ty),+) => {$(
        impl Rows for $scalar {
            fn rows(&self) -> u64 {
                1
            }
        }
    )+};
}

one_row!(i32, i64, bool, String, (i64, i64), (Option<Timestamp>,), (Option<Timestamp>, Option<Timestamp>));

/// The number of rows a change touched.
impl Rows for u64 {
    fn rows(&self) -> u64 {
        *self
    }
}
