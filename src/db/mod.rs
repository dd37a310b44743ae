//! The database: [`Db`] and [`Tx`] over SQLite or PostgreSQL. `statement` runs one statement text on either; only `dialect`,
//! `pool` and this file know which database it is.

pub mod adoption;
pub mod api_tokens;
pub mod audit_log_stats;
pub mod audit_logs;
mod auth_generation;
pub mod auth_sessions;
pub(crate) mod bulk;
mod codec;
mod dialect;
pub mod idempotency_keys;
pub mod known_networks;
pub mod list;
pub mod login_throttles;
mod migrate;
mod pool;
pub mod query;
pub mod refresh_tokens;
mod row;
pub mod search_index;
pub mod server_secrets;
pub mod sessions;
pub mod signing_keys;
mod sql_error;
mod statement;
pub mod stored_json;
pub mod users;

use std::sync::Arc;

use sqlx::{Postgres, Sqlite};
use tokio::sync::Semaphore;

pub use self::{
    auth_generation::AccountsTx,
    dialect::{
        adoption::Plan,
        files::{ExposedFile, backup, restrict_permissions},
    },
    pool::{Meter, Settings},
};
use self::{
    auth_generation::{AuthChangeGuard, AuthGeneration},
    pool::{Pool, PooledConnection, StatementPermit, StatementPermits},
    statement::run,
};
use crate::error::Result;

/// A database; cheap to clone. Each request has a clone with its own meter and permits.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
    meter: Arc<Meter>,
    auth_generation: AuthGeneration,
    statement_permits: StatementPermits,
}

/// The connection pools. SQLite allows one writer at a time, so writers wait for its one connection and not for a lock.
#[derive(Clone, Debug)]
enum Pools {
    Sqlite { readers: Pool<Sqlite>, writer: Pool<Sqlite> },
    Postgres(Pool<Postgres>),
}

/// A transaction that is rolled back unless it is committed. Only `services` and `ops` begin and end one.
#[derive(Debug)]
pub struct Tx {
    connection: TxConnection,
    meter: Arc<Meter>,
    auth_generation: AuthGeneration,
    /// Present if the transaction [changes accounts](Self::accounts). Dropped after the connection's last statement.
    auth_change: Option<AuthChangeGuard>,
    /// Released after the connection.
    _permit: Option<StatementPermit>,
}

#[derive(Debug)]
enum TxConnection {
    Sqlite(PooledConnection<Sqlite>),
    Postgres(PooledConnection<Postgres>),
}

impl Db {
    /// The same database with its own meter: for the statements and rows of one request.
    #[must_use]
    pub fn metered(&self) -> Self {
        Self { meter: Arc::default(), ..self.clone() }
    }

    /// The same with a limit for the bytes that the request reads from the database, and for the bytes of its response.
    #[must_use]
    pub fn metered_within(&self, max_bytes: u64) -> Self {
        Self { meter: Arc::new(Meter::within(max_bytes)), ..self.clone() }
    }

    /// The same with the permits of a principal. Each statement and each transaction holds one.
    #[must_use]
    pub fn limited(&self, permits: Arc<Semaphore>) -> Self {
        Self { statement_permits: StatementPermits::limited(permits), ..self.clone() }
    }

    /// The same without permits, for statements that must not wait for other statements of their principal.
    #[must_use]
    pub fn unlimited(&self) -> Self {
        Self { statement_permits: StatementPermits::default(), ..self.clone() }
    }

    /// The meter of this database value.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The generation of the users, login sessions and API tokens: it increases when a transaction of this process that
    /// changes them ends. A cached copy is current while the generation is the same and no other process writes.
    #[must_use]
    pub fn auth_generation(&self) -> u64 {
        self.auth_generation.get()
    }

    /// The name of the database system, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.texts().kind
    }

    /// Returns true if other programs may use the database, so that only an operator may decide to change its tables.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// Begins a transaction that may write. On SQLite it waits until the one writing connection is free.
    pub async fn begin(&self) -> Result<Tx> {
        // Before the connection: a request that holds a connection must not wait for a permit of its principal.
        let permit = self.statement_permits.transaction().await;
        let connection = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                connection.begin("begin immediate").await?;
                TxConnection::Sqlite(connection)
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                connection.begin("begin").await?;
                TxConnection::Postgres(connection)
            }
        };
        Ok(Tx {
            connection,
            meter: Arc::clone(&self.meter),
            auth_generation: self.auth_generation.clone(),
            auth_change: None,
            _permit: permit,
        })
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<()> {
        run!(self, connection => sqlx::query_scalar::<_, i32>("select 1").fetch_one(connection).await)?;
        Ok(())
    }

    /// The version of the database server (or of the embedded library), as it reports it.
    pub async fn server_version(&self) -> Result<String> {
        run!(self, connection => sqlx::query_scalar(self.texts().version).fetch_one(connection).await)
    }

    /// The names of the tables in the database, sorted, without sqlx's table of migrations.
    pub async fn tables(&self) -> Result<Vec<String>> {
        run!(self, connection => sqlx::query_scalar(self.texts().tables).fetch_all(connection).await)
    }

    /// The names of the indexes in the database, sorted, without those of sqlx's table of migrations.
    pub async fn indexes(&self) -> Result<Vec<String>> {
        run!(self, connection => sqlx::query_scalar(self.texts().indexes).fetch_all(connection).await)
    }

    /// Closes all connections; waits for those in use.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    fn texts(&self) -> &'static dialect::Texts {
        match &self.pools {
            Pools::Sqlite { .. } => &dialect::SQLITE,
            Pools::Postgres(_) => &dialect::POSTGRES,
        }
    }
}

impl Tx {
    /// Commits the changes.
    pub async fn commit(self) -> Result<()> {
        match self.connection {
            TxConnection::Sqlite(mut connection) => connection.commit().await?,
            TxConnection::Postgres(mut connection) => connection.commit().await?,
        }
        Ok(())
    }

    fn needs_operator(&self) -> bool {
        matches!(self.connection, TxConnection::Postgres(_))
    }

    fn texts(&self) -> &'static dialect::Texts {
        match &self.connection {
            TxConnection::Sqlite(_) => &dialect::SQLITE,
            TxConnection::Postgres(_) => &dialect::POSTGRES,
        }
    }
}
