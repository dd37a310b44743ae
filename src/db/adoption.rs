//! Tables that an older program made. What is different in them is a matter of one database, see `dialect`.

use std::collections::BTreeSet;

use super::{Tx, dialect::adoption, migrate};
use crate::error::Result;

pub use super::dialect::adoption::{lock, plan, run};

/// Whether the tables are an older program's: there, and not made by a migration of ours.
pub async fn is_needed(tx: &mut Tx) -> Result<bool> {
    // No older program kept its data in SQLite.
    if !tx.needs_operator() {
        return Ok(false);
    }
    let tables: BTreeSet<String> = adoption::tables(tx).await?;
    Ok(adoption::are_foreign(&tables) && !migrate::has_begun(tx, &tables).await?)
}

/// Records the first migration as done, and runs the others.
pub async fn finish(tx: &mut Tx) -> Result<()> {
    migrate::run_but_first(tx).await
}
