//! Adoption of the tables of an older program. Only PostgreSQL has such tables, see `dialect`.

use std::collections::BTreeSet;

use super::{Tx, dialect::adoption, migrate};
use crate::error::Result;

pub use super::dialect::adoption::{lock, plan, run};

/// Returns true if the tables exist and no migration of this program created them.
pub async fn is_needed(tx: &mut Tx) -> Result<bool> {
    // No older program used SQLite.
    if !tx.needs_operator() {
        return Ok(false);
    }
    let tables: BTreeSet<String> = adoption::tables(tx).await?;
    Ok(adoption::has_tables(&tables) && !migrate::has_begun(tx, &tables).await?)
}

/// Records the first migration as done, and runs the others.
pub async fn finish(tx: &mut Tx) -> Result<()> {
    migrate::run_but_first(tx).await
}
