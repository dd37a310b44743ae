//! Migrations: bring the tables to the state that this version of the program needs. Several processes may run them concurrently.

use std::collections::BTreeSet;

use sqlx::{
    Executor,
    migrate::{Migrate, MigrateError, Migrator},
    raw_sql,
};

use super::{Db, Pools, Tx, TxConnection, run};
use crate::error::{Error, Result};

/// The table in which sqlx records the migrations that have run.
const TABLE: &str = "_sqlx_migrations";

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Db {
    /// Runs the migrations that have not run yet.
    ///
    /// A lock excludes other processes: on PostgreSQL an advisory lock, on SQLite a lock on the folder of the file, because
    /// SQLite's own locks end with the transaction of each migration.
    pub async fn migrate(&self) -> Result<()> {
        let done = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let file = writer.connector().options.get_filename().to_owned();
                let lock = tokio::task::spawn_blocking(move || lock_folder(&file)).await.map_err(Error::internal)?;
                let done = SQLITE.run(writer.acquire().await?.raw()).await;
                drop(lock);
                done
            }
            Pools::Postgres(pool) => POSTGRES.run(pool.acquire().await?.raw()).await,
        };
        done.map_err(|cause| Error::internal(cause).with_message("the database could not be brought up to date"))
    }

    /// Returns true if all migrations of this program have run.
    pub async fn is_migrated(&self) -> Result<bool> {
        self.ping().await?;
        let expected = match &self.pools {
            Pools::Sqlite { .. } => SQLITE.iter(),
            Pools::Postgres(_) => POSTGRES.iter(),
        };
        let applied = run!(self, connection => sqlx::query_scalar::<_, i64>("select version from _sqlx_migrations where success")
            .fetch_all(connection)
            .await);
        let applied = match applied {
            Ok(applied) => applied,
            Err(error) if is_missing_table(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(expected.map(|migration| migration.version).all(|version| applied.contains(&version)))
    }
}

/// Returns true if a migration has run in the database, which has these tables.
pub(super) async fn has_begun(tx: &mut Tx, tables: &BTreeSet<String>) -> Result<bool> {
    if !tables.contains(TABLE) {
        return Ok(false);
    }
    run!(tx, connection => sqlx::query_scalar("select exists (select 1 from _sqlx_migrations)")
        .fetch_one(connection)
        .await)
}

/// Runs all migrations but the first. Not by `Migrate::apply`, which would commit the open transaction.
async fn run_others<C>(migrator: &Migrator, connection: &mut C) -> Result<(), MigrateError>
where
    C: Migrate,
    for<'c> &'c mut C: Executor<'c>,
{
    connection.ensure_migrations_table(TABLE).await?;
    for (at, migration) in migrator.iter().enumerate() {
        if at > 0 {
            let connection = &mut *connection;
            let done = raw_sql(migration.sql.clone()).execute(connection).await;
            done.map_err(|cause| MigrateError::ExecuteMigration(cause, migration.version))?;
        }
        connection.skip(TABLE, migration).await?;
    }
    Ok(())
}

/// Records the first migration as applied and runs all others, within the transaction.
pub(super) async fn run_but_first(tx: &mut Tx) -> Result<()> {
    let done = match &mut tx.connection {
        TxConnection::Sqlite(connection) => run_others(&SQLITE, connection.raw()).await,
        TxConnection::Postgres(connection) => run_others(&POSTGRES, connection.raw()).await,
    };
    done.map_err(|cause| {
        Error::internal(cause).with_message("the tables could not be taken over, and nothing was changed")
    })
}

/// Returns true if the table is missing, as in a new database. Each database has its own error for it.
fn is_missing_table(error: &Error) -> bool {
    const UNDEFINED_TABLE: &str = "42P01";
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<sqlx::Error>());
    cause.and_then(sqlx::Error::as_database_error).is_some_and(|cause| {
        cause.code().is_some_and(|code| code == UNDEFINED_TABLE) || cause.message().starts_with("no such table")
    })
}

/// Locks the folder until the file is dropped. `None` where folders cannot be locked (Windows); there two first starts must not
/// run at the same time.
fn lock_folder(file: &std::path::Path) -> Option<std::fs::File> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
    let folder = std::fs::File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}
