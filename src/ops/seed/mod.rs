//! Filling the database: a few rows to look at (`demo`), or a large data set for trials and benchmarks (`bulk`). Both
//! are the same in each run, never change a row that is there, and happen wholly or not at all.

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

/// What became of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The table's name.
    pub table: &'static str,
    /// Rows of the data set that were there already.
    pub found: u64,
    /// Rows that were added.
    pub added: u64,
    /// How long adding them took, with indexes and foreign keys.
    pub took: Duration,
}

/// SQLite is embedded, so nobody else makes its tables; on PostgreSQL that is an operator's decision.
async fn make_ready(db: &Db) -> Result<()> {
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
