//! The tables that seeding needs.

use crate::{
    db::Db,
    error::{Error, ErrorCode, Result},
};

/// Migrates SQLite. On PostgreSQL an operator migrates, so that missing tables are an error.
pub(super) async fn ensure_migrated(db: &Db) -> Result<()> {
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
