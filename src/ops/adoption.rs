//! Adoption of the database of an earlier GuardianEye program: one transaction that changes no rows.

use crate::{
    db::{Db, Plan, adoption},
    error::Result,
};

/// The kind of database that was found.
#[derive(Debug)]
pub enum Found {
    /// A database of this program, or an empty one: no adoption is needed.
    NotNeeded,
    /// Tables of an earlier program, with the differences.
    Legacy(Plan),
}

/// What an adoption would do. Changes and locks nothing.
pub async fn inspect(db: &Db) -> Result<Found> {
    let mut tx = db.begin().await?;
    let found = if adoption::is_needed(&mut tx).await? {
        Found::Legacy(adoption::plan(&mut tx).await?)
    } else {
        Found::NotNeeded
    };
    // The transaction only read: it is rolled back.
    drop(tx);
    Ok(found)
}

/// Adopts the database: alters the tables and marks all migrations as applied. Problems and errors leave it unchanged.
pub async fn adopt(db: &Db) -> Result<Found> {
    // A separate transaction: two transactions that read the tables and then lock them can deadlock.
    match inspect(db).await? {
        Found::Legacy(plan) if plan.problems.is_empty() => {}
        found => return Ok(found),
    }
    let mut tx = db.begin().await?;
    adoption::lock(&mut tx).await?;
    // Another process may have adopted or changed the database since.
    if !adoption::is_needed(&mut tx).await? {
        return Ok(Found::NotNeeded);
    }
    let plan = adoption::plan(&mut tx).await?;
    if plan.problems.is_empty() {
        for change in &plan.changes {
            adoption::run(&mut tx, &change.statement).await?;
        }
        adoption::finish(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(Found::Legacy(plan))
}
