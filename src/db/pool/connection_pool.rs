//! The connection pool: deadpool's managed pool over plain sqlx connections.
//! See `docs/decisions/007-connection-pool.md`.

use std::{
    fmt,
    io::ErrorKind,
    time::{Duration, Instant},
};

use deadpool::{
    Runtime,
    managed::{self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType},
};
use tokio_util::task::TaskTracker;

use super::{
    managed_connection::{ManagedConnection, PooledDatabase},
    pooled_connection::PooledConnection,
};

/// A connection that was not acquired for longer is pinged before it is used: the database may have been restarted.
const PING_AFTER: Duration = Duration::from_secs(1);
/// The time for a ping. Without an answer the pool tries the next connection, or opens one.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection that was not acquired for longer is closed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);
/// An older connection is closed instead of being used again.
const MAX_LIFETIME: Duration = Duration::from_mins(30);
/// The interval at which idle and old connections are looked for.
const REAP_INTERVAL: Duration = Duration::from_mins(1);

/// A pool of connections to one database; cheap to clone.
pub(in crate::db) struct Pool<DB: PooledDatabase>(managed::Pool<Manager<DB>, PooledConnection<DB>>);

/// Opens connections, and decides whether they are used again.
pub(super) struct Manager<DB: PooledDatabase> {
    connector: DB::Connector,
    /// The connections that are open, in the pool or not.
    open: TaskTracker,
    acquire_timeout: Duration,
}

impl<DB: PooledDatabase> Pool<DB> {
    /// An empty pool. It opens connections when they are acquired.
    pub(in crate::db) fn new(connector: DB::Connector, max_connections: usize, acquire_timeout: Duration) -> Self {
        let manager = Manager { connector, open: TaskTracker::new(), acquire_timeout };
        let pool = managed::Pool::builder(manager)
            .max_size(max_connections)
            // The connection that was used last has the warmest caches, and the others can become idle.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(acquire_timeout))
            .create_timeout(Some(acquire_timeout))
            .recycle_timeout(Some(PING_TIMEOUT.min(acquire_timeout)))
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a runtime is given");
        tokio::spawn(reap(pool.weak()));
        Self(pool)
    }

    /// Waits for a free connection, or opens one. The error is `PoolTimedOut` if none became free in time, and an I/O
    /// error if the database did not answer in time.
    pub(in crate::db) async fn acquire(&self) -> sqlx::Result<PooledConnection<DB>> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => sqlx::Error::PoolTimedOut,
            PoolError::Timeout(_) => std::io::Error::from(ErrorKind::TimedOut).into(),
            PoolError::Closed => sqlx::Error::PoolClosed,
            PoolError::Backend(error) => error,
            // The pool has a runtime and no hooks.
            error => sqlx::Error::Configuration(error.into()),
        })
    }

    /// How the connections are opened.
    pub(in crate::db) fn connector(&self) -> &DB::Connector {
        &self.0.manager().connector
    }

    /// Closes the pool and its connections; waits for those in use, and for their statements to be cancelled.
    pub(in crate::db) async fn close(&self) {
        let mut next = Some(self);
        while let Some(pool) = next {
            pool.0.close();
            // deadpool's `close` leaves the idle connections that it had promised to waiting tasks.
            drop(pool.0.retain(|_, _| false));
            let Manager { connector, open, .. } = pool.0.manager();
            open.close();
            open.wait().await;
            next = DB::cancel_pool(connector);
        }
    }
}

impl<DB: PooledDatabase> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<DB: PooledDatabase> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.0.status()).finish()
    }
}

/// Closes idle and old connections until the pool is gone. The pool itself looks at a connection only when it is acquired.
async fn reap<DB: PooledDatabase>(pool: managed::WeakPool<Manager<DB>>) {
    loop {
        tokio::time::sleep(REAP_INTERVAL).await;
        let Some(pool) = pool.upgrade().filter(|pool| !pool.is_closed()) else { return };
        drop(pool.retain(|_, metrics| metrics.last_used() < IDLE_TIMEOUT && metrics.age() < MAX_LIFETIME));
    }
}

impl<DB: PooledDatabase> managed::Manager for Manager<DB> {
    type Type = ManagedConnection<DB>;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<ManagedConnection<DB>> {
        // Boxed, because this future is large, rarely runs, and is part of every future that runs a statement.
        let (raw, canceller) = Box::pin(DB::connect(&self.connector)).await?;
        Ok(ManagedConnection::new(raw, canceller, self.open.token(), self.acquire_timeout))
    }

    async fn recycle(&self, connection: &mut ManagedConnection<DB>, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        let now = Instant::now();
        let last_used = metrics.recycled.unwrap_or(metrics.created);
        let is_young = now.duration_since(metrics.created) < MAX_LIFETIME;
        let needs_ping = !connection.is_clean() || now.duration_since(last_used) >= PING_AFTER;
        if is_young && (!needs_ping || Box::pin(connection.ping()).await) {
            return Ok(());
        }
        // Here, so that the connection keeps its place in the pool until it is closed.
        Box::pin(connection.close()).await;
        Err(RecycleError::message("the connection is too old or does not answer"))
    }
}
