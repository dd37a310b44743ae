//! Brings the tables to the state this version of the program expects. Safe to run from several processes at once.

use std::collections::BTreeSet;

use sqlx::{
    migrate::{Migrate, MigrateError, Migrator},
    raw_sql,
};

use super::{Db, Pools, Tx, TxConnection, run};
use crate::error::{Error, Result};

/// Where sqlx notes which migrations have run.
const TABLE: &str = "_sqlx_migrations";

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Db {
    /// Runs the migrations that have not run yet.
    ///
    /// PostgreSQL takes an advisory lock meanwhile. For SQLite the lock is on the folder of the file: its own locks
    /// end with each migration's transaction, and a second process would begin in between.
    pub async fn migrate(&self) -> Result<()> {
        let done = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let file = writer.pool().connect_options().get_filename().to_owned();
                let lock = tokio::task::spawn_blocking(move || lock_folder(&file)).await.map_err(Error::internal)?;
                let done = SQLITE.run(&mut *writer.lease().await?).await;
                drop(lock);
                done
            }
            Pools::Postgres(pool) => POSTGRES.run(&mut *pool.lease().await?).await,
        };
        done.map_err(|cause| Error::internal(cause).with_message("the database could not be brought up to date"))
    }

    /// Whether every migration of this program has run.
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

/// Whether a migration of ours has run, in a database with these tables.
pub(super) async fn has_begun(tx: &mut Tx, tables: &BTreeSet<String>) -> Result<bool> {
    if !tables.contains(TABLE) {
        return Ok(false);
    }
    run!(tx, connection => sqlx::query_scalar("select exists (select 1 from _sqlx_migrations)")
        .fetch_one(connection)
        .await)
}

/// `Migrate::apply` would end the transaction that is under way.
macro_rules! run_others {
    ($migrator:expr, $connection:expr) => {
        async {
            let connection = $connection;
            connection.ensure_migrations_table(TABLE).await?;
            for (at, migration) in $migrator.iter().enumerate() {
                if at > 0 {
                    let connection = &mut *connection;
                    let done = raw_sql(migration.sql.clone()).execute(connection).await;
                    done.map_err(|cause| MigrateError::ExecuteMigration(cause, migration.version))?;
                }
                connection.skip(TABLE, migration).await?;
            }
            Ok::<_, MigrateError>(())
        }
        .await
    };
}

/// Records the first migration as done and runs all others, within the transaction.
pub(super) async fn run_but_first(tx: &mut Tx) -> Result<()> {
    let done = match &mut tx.connection {
        TxConnection::Sqlite(lease) => run_others!(SQLITE, &mut **lease),
        TxConnection::Postgres(lease) => run_others!(POSTGRES, &mut **lease),
    };
    done.map_err(|cause| {
        Error::internal(cause).with_message("the tables could not be taken over, and nothing was changed")
    })
}

/// The plain case of a new database, which each database tells in its own way.
fn is_missing_table(error: &Error) -> bool {
    const UNDEFINED_TABLE: &str = "42P01";
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<sqlx::Error>());
    cause.and_then(sqlx::Error::as_database_error).is_some_and(|told| {
        told.code().is_some_and(|code| code == UNDEFINED_TABLE) || told.message().starts_with("no such table")
    })
}

/// Held until dropped. `None` where folders cannot be locked (Windows); there two first starts must not coincide.
fn lock_folder(file: &std::path::Path) -> Option<std::fs::File> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
    let folder = std::fs::File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}
