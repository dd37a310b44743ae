//! Taking over the database of an older GuardianEye: in one transaction, without changing a row.

use crate::{
    db::{Db, Plan, adoption},
    error::Result,
};

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// A database of this program, or none of any: the migrations do the rest.
    Nothing,
    /// Tables that an older program made; what is different in them.
    Older(Plan),
}

/// What a take-over would do. Nothing is changed or locked.
pub async fn look(db: &Db) -> Result<Found> {
    let mut tx = db.begin().await?;
    let found =
        if adoption::is_needed(&mut tx).await? { Found::Older(adoption::plan(&mut tx).await?) } else { Found::Nothing };
    // Nothing was written, so there is nothing to commit.
    drop(tx);
    Ok(found)
}

/// Makes the tables this program's: what is different in them, and all migrations. When there are problems, or something
/// goes wrong, nothing is changed.
pub async fn take_over(db: &Db) -> Result<Found> {
    // In a transaction of its own: whoever has read the tables and then locks them can meet another who does the same.
    match look(db).await? {
        Found::Older(plan) if plan.problems.is_empty() => {}
        found => return Ok(found),
    }
    let mut tx = db.begin().await?;
    adoption::lock(&mut tx).await?;
    // Somebody may have been quicker, or may have written meanwhile.
    if !adoption::is_needed(&mut tx).await? {
        return Ok(Found::Nothing);
    }
    let plan = adoption::plan(&mut tx).await?;
    if plan.problems.is_empty() {
        for change in &plan.changes {
            adoption::run(&mut tx, &change.statement).await?;
        }
        adoption::finish(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(Found::Older(plan))
}
