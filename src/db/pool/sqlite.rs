//! Pooled connections to SQLite: opening them, and interrupting their statements at the deadline or when they are cancelled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Sqlite, SqliteConnection, raw_sql, sqlite::SqliteConnectOptions};

use super::{
    Pool,
    managed_connection::{PooledDatabase, StatementCanceller},
};

/// Instructions of SQLite's virtual machine between two calls of the progress handler: some milliseconds of work.
const PROGRESS_INTERVAL: i32 = 100_000;
/// A deadline that never comes.
const NEVER: u64 = u64::MAX;
/// A deadline that has passed.
const PASSED: u64 = 0;

/// How connections to a file are opened.
#[derive(Debug)]
pub(in crate::db) struct SqliteConnector {
    pub options: SqliteConnectOptions,
    pub statement_timeout: Option<Duration>,
}

/// The deadline of the statement that runs on one connection. SQLite calls a progress handler while a statement runs; the
/// handler interrupts it when the deadline has passed.
#[derive(Debug)]
pub(in crate::db) struct StatementDeadline {
    timeout: Option<Duration>,
    /// When the connection was opened.
    origin: Instant,
    /// In microseconds after the origin.
    deadline: Arc<AtomicU64>,
}

impl StatementDeadline {
    async fn install(connection: &mut SqliteConnection, timeout: Option<Duration>) -> sqlx::Result<Self> {
        let (origin, deadline) = (Instant::now(), Arc::new(AtomicU64::new(NEVER)));
        let watched = Arc::clone(&deadline);
        let may_continue = move || micros_since(origin) < watched.load(Relaxed);
        connection.lock_handle().await?.set_progress_handler(PROGRESS_INTERVAL, may_continue);
        Ok(Self { timeout, origin, deadline })
    }
}

fn micros_since(origin: Instant) -> u64 {
    u64::try_from(origin.elapsed().as_micros()).unwrap_or(NEVER)
}

impl StatementCanceller for StatementDeadline {
    fn start_statement(&self) {
        let deadline = match self.timeout {
            Some(timeout) => {
                micros_since(self.origin).saturating_add(u64::try_from(timeout.as_micros()).unwrap_or(NEVER))
            }
            None => NEVER,
        };
        self.deadline.store(deadline, Relaxed);
    }

    fn finish_statement(&self) {
        self.deadline.store(NEVER, Relaxed);
    }

    async fn cancel(&self) {
        self.deadline.store(PASSED, Relaxed);
    }
}

impl PooledDatabase for Sqlite {
    type Connector = SqliteConnector;
    type Canceller = StatementDeadline;

    async fn connect(connector: &SqliteConnector) -> sqlx::Result<(SqliteConnection, StatementDeadline)> {
        let mut connection = connector.options.connect().await?;
        let deadline = StatementDeadline::install(&mut connection, connector.statement_timeout).await?;
        Ok((connection, deadline))
    }

    async fn control_transaction(connection: &mut SqliteConnection, statement: &'static str) -> sqlx::Result<()> {
        raw_sql(statement).execute(connection).await.map(drop)
    }

    fn cancel_pool(_: &SqliteConnector) -> Option<&Pool<Self>> {
        None
    }
}
