//! Cancelling the statement of a connection from outside, when its request has ended and nobody waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use sqlx::{
    Connection, Database, PgConnection, Pool, Postgres, pool::PoolOptions, postgres::PgConnectOptions, query_scalar,
};
use tokio::time::timeout;

/// How often a connection is asked whether it is ready again: what a cancelled statement answers comes first, once.
const TRIES: usize = 3;
/// After how long the connection that cancels is closed when it has nothing to do.
const IDLE: Duration = Duration::from_mins(1);

/// The process of PostgreSQL that serves a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend(i32);

impl Backend {
    pub(in crate::db) async fn of(connection: &mut PgConnection) -> sqlx::Result<Self> {
        query_scalar("select pg_backend_pid()").fetch_one(connection).await.map(Self)
    }
}

/// Cancels statements of PostgreSQL, by a connection of its own that is opened when it is needed: all others may be busy.
#[derive(Clone, Debug)]
pub(crate) struct Canceller(Pool<Postgres>);

impl Canceller {
    pub(in crate::db) fn new(options: PgConnectOptions, acquire_timeout: Duration) -> Self {
        let pool = PoolOptions::new().max_connections(1).acquire_timeout(acquire_timeout).idle_timeout(IDLE);
        Self(pool.connect_lazy_with(options))
    }

    pub(in crate::db) async fn cancel(&self, Backend(pid): Backend) {
        if let Err(cause) = self.try_to_cancel(pid).await {
            tracing::warn!(error = %cause, "a statement that nobody waits for could not be cancelled");
        }
    }

    async fn try_to_cancel(&self, pid: i32) -> sqlx::Result<bool> {
        let mut own = self.0.acquire().await?;
        let connection = &mut *own;
        query_scalar("select pg_cancel_backend($1)").bind(pid).fetch_one(connection).await
    }

    pub(in crate::db) async fn close(&self) {
        self.0.close().await;
    }
}

/// Tells the progress handler of a connection to SQLite to stop its statement.
#[derive(Clone, Debug, Default)]
pub(crate) struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    pub(in crate::db) fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    pub(in crate::db) fn is_cancelled(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Waits until a cancelled statement has ended, and reads what is left of its answer; whether the connection is ready then.
pub(in crate::db) async fn drain<DB: Database>(connection: &mut DB::Connection, within: Duration) -> bool {
    let ready = async {
        for _ in 0..TRIES {
            if connection.ping().await.is_ok() {
                return true;
            }
        }
        false
    };
    timeout(within, ready).await.unwrap_or(false)
}
