//! Pooled connections to PostgreSQL: opening them, and cancelling their statements.
//! The server itself stops statements that exceed their time (`statement_timeout`).

use std::{io::ErrorKind, time::Duration};

use sqlx::{ConnectOptions, PgConnection, Postgres, postgres::PgConnectOptions, query_scalar, raw_sql};

use super::{
    connection_pool::Pool,
    managed_connection::{PooledDatabase, StatementCanceller},
};

/// The pause before the first further attempt to connect; it doubles with each one.
const FIRST_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// How connections to a server are opened.
#[derive(Debug)]
pub(in crate::db) struct PgConnector {
    options: PgConnectOptions,
    /// The pool of the one connection that cancels statements of all others, which may all be busy. Absent for that
    /// connection.
    cancel_pool: Option<Pool<Postgres>>,
}

/// Cancels statements by the process that serves their connection.
#[derive(Debug)]
pub(in crate::db) struct PgCanceller {
    backend_pid: i32,
    pool: Option<Pool<Postgres>>,
}

impl PgConnector {
    pub(in crate::db) fn new(options: PgConnectOptions, acquire_timeout: Duration) -> Self {
        let cancelling = Self { options: options.clone(), cancel_pool: None };
        Self { options, cancel_pool: Some(Pool::new(cancelling, 1, acquire_timeout)) }
    }
}

impl PooledDatabase for Postgres {
    type Connector = PgConnector;
    type Canceller = PgCanceller;

    async fn connect(connector: &PgConnector) -> sqlx::Result<(PgConnection, PgCanceller)> {
        let mut connection = connect_with_backoff(&connector.options).await?;
        let backend_pid = query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await?;
        Ok((connection, PgCanceller { backend_pid, pool: connector.cancel_pool.clone() }))
    }

    async fn control_transaction(connection: &mut PgConnection, statement: &'static str) -> sqlx::Result<()> {
        raw_sql(statement).execute(connection).await.map(drop)
    }

    fn cancel_pool(connector: &PgConnector) -> Option<&Pool<Self>> {
        connector.cancel_pool.as_ref()
    }
}

/// Opens a connection. While the server starts, or has no connection left, it tries again until the pool's time is up.
async fn connect_with_backoff(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let mut backoff = FIRST_BACKOFF;
    loop {
        match options.connect().await {
            Err(error) if is_transient(&error) => tokio::time::sleep(backoff).await,
            result => return result,
        }
        backoff = MAX_BACKOFF.min(backoff * 2);
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

impl StatementCanceller for PgCanceller {
    fn start_statement(&self) {}

    fn finish_statement(&self) {}

    async fn cancel(&self) {
        let Some(pool) = &self.pool else { return };
        if let Err(error) = cancel_backend(pool, self.backend_pid).await {
            tracing::warn!(%error, "a statement without a client could not be cancelled");
        }
    }
}

async fn cancel_backend(pool: &Pool<Postgres>, pid: i32) -> sqlx::Result<bool> {
    let mut connection = pool.acquire().await?;
    connection.start_statement();
    let result = query_scalar("select pg_cancel_backend($1)").bind(pid).fetch_one(connection.raw()).await;
    connection.finish_statement(&result);
    result
}
