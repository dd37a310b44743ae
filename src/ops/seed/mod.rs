//! Seeding: a few rows for a demonstration (`demo`), or a large data set for tests and benchmarks (`bulk`). Both are
//! deterministic, never change existing rows, and run in one transaction.

mod bulk;
mod content;
mod demo;
mod generator;
mod random;
mod samples;

use std::time::Duration;

pub use self::{
    bulk::{Progress, Sizes, bulk},
    demo::{Demo, demo},
};
use crate::{
    db::Db,
    error::{Error, ErrorCode, Result},
};

/// The result for one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The table's name.
    pub table: &'static str,
    /// Rows of the data set that existed before.
    pub found: u64,
    /// Rows that were added.
    pub added: u64,
    /// The time for adding them, with indexes and foreign keys.
    pub took: Duration,
}

/// Migrates SQLite. On PostgreSQL an operator migrates, so that missing tables are an error.
async fn ensure_migrated(db: &Db) -> Result<()> {
    if !db.needs_operator() {
        return db.migrate().await;
    }
    if db.is_migrated().await? {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Conflict,
        "the database's tables are missing or out of date: run `guardianeye db init` first",
    ))
}
