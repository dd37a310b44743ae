//! The result of seeding, table by table.

use std::time::Duration;

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
