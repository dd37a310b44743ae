//! Connecting to the database of a command.

use secrecy::ExposeSecret;

use crate::{
    config::Common,
    db::{Db, Settings},
    error::{Error, ErrorCode, Result},
};

/// Connects to the configured database, whatever state its tables are in.
pub(super) async fn connect(common: &Common, settings: Settings) -> Result<Db> {
    Db::connect(common.database_url.0.expose_secret(), settings).await
}

/// Connects to a database whose tables are up to date.
pub(super) async fn connect_migrated(common: &Common, settings: Settings) -> Result<Db> {
    let db = connect(common, settings).await?;
    match db.is_migrated().await {
        Ok(true) => Ok(db),
        Ok(false) => {
            db.close().await;
            Err(not_migrated("run `guardianeye db init`"))
        }
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

/// The error for missing or outdated tables.
pub(super) fn not_migrated(remedy: &str) -> Error {
    Error::new(ErrorCode::Conflict, format!("the database tables are missing or outdated: {remedy}"))
}
