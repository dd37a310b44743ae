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
pub mod login_throttles;
mod migrate;
mod pool;
pub mod query;
pub mod refresh_tokens;
pub mod search_index;
pub mod server_secrets;
pub mod sessions;
pub mod signing_keys;
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
        files::{Exposed, backup, close_to_others},
    },
    pool::{Meter, Settings},
};
use self::{
    auth_generation::{AuthChangeGuard, AuthGeneration},
    pool::{Connections, Lease, Permit, Statements},
    statement::run,
};
use crate::error::Result;

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
    meter: Arc<Meter>,
    auth_generation: AuthGeneration,
    statements: Statements,
}

/// The connections. SQLite allows one writer at a time, so writers queue here and never meet a busy file.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Sqlite { readers: Connections<Sqlite>, writer: Connections<Sqlite> },
    Postgres(Connections<Postgres>),
}

/// A transaction that is rolled back unless it is committed. Opened and ended in `services` and `ops` only.
#[derive(Debug)]
pub struct Tx {
    connection: TxConnection,
    meter: Arc<Meter>,
    auth_generation: AuthGeneration,
    /// Present if the transaction [changes accounts](Self::accounts). Dropped after the connection's last statement.
    auth_change: Option<AuthChangeGuard>,
    /// Given up last.
    _permit: Option<Permit>,
}

#[derive(Debug)]
pub(crate) enum TxConnection {
    Sqlite(Lease<Sqlite>),
    Postgres(Lease<Postgres>),
}

impl Db {
    /// The same database, with a count of its own: one request's statements and rows.
    #[must_use]
    pub fn metered(&self) -> Self {
        Self { meter: Arc::default(), ..self.clone() }
    }

    /// The same with a limit for the bytes that the request may read, and for those that it may answer.
    #[must_use]
    pub fn metered_within(&self, max_bytes: u64) -> Self {
        Self { meter: Arc::new(Meter::within(max_bytes)), ..self.clone() }
    }

    /// The same with the permits of a principal, each for a statement or a transaction at a time.
    #[must_use]
    pub fn limited(&self, permits: Arc<Semaphore>) -> Self {
        Self { statements: Statements::limited(permits), ..self.clone() }
    }

    /// The same without permits, for statements that must not wait for others of their principal.
    #[must_use]
    pub fn unlimited(&self) -> Self {
        Self { statements: Statements::default(), ..self.clone() }
    }

    /// What was counted since the handle was made.
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

    /// The name of the database, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.texts().kind
    }

    /// Whether others may rely on the database too, so that changing its tables is an operator's decision.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// Opens a transaction that may write. On SQLite it waits for its turn as the one writer.
    pub async fn begin(&self) -> Result<Tx> {
        // Before the connection: whoever has one waits for no other statement of the principal.
        let permit = self.statements.transaction().await;
        let connection = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let mut lease = writer.lease().await?;
                lease.begin("begin immediate").await?;
                TxConnection::Sqlite(lease)
            }
            Pools::Postgres(pool) => {
                let mut lease = pool.lease().await?;
                lease.begin("begin").await?;
                TxConnection::Postgres(lease)
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

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        run!(self, connection => sqlx::query_scalar::<_, i32>("select 1").fetch_one(connection).await)?;
        Ok(())
    }

    /// The version of the database server (or of the embedded library), as it reports it.
    pub async fn server_version(&self) -> Result<String> {
        run!(self, connection => sqlx::query_scalar(self.texts().version).fetch_one(connection).await)
    }

    /// The names of the tables found, in order, without the migrations' own.
    pub async fn tables(&self) -> Result<Vec<String>> {
        run!(self, connection => sqlx::query_scalar(self.texts().tables).fetch_all(connection).await)
    }

    /// The names of the indexes found, in order, without the migrations' own.
    pub async fn indexes(&self) -> Result<Vec<String>> {
        run!(self, connection => sqlx::query_scalar(self.texts().indexes).fetch_all(connection).await)
    }

    /// Ends all connections; waits for those in use.
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
    /// Makes the changes last.
    pub async fn commit(self) -> Result<()> {
        match self.connection {
            TxConnection::Sqlite(mut lease) => lease.commit().await?,
            TxConnection::Postgres(mut lease) => lease.commit().await?,
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
