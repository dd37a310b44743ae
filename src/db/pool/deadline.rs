//! Stops SQLite statements whose time is up, or that are cancelled. PostgreSQL does this by itself (`statement_timeout`).
//!
//! SQLite asks a progress handler, now and then while a statement runs, whether to go on. It does not say when a
//! statement begins, so the handler takes its first call as the beginning: at most [`OPERATIONS`] too late. Before a
//! connection is used again, a handler that was called is replaced by a fresh one. That takes a word with the
//! connection's thread, so it is done only while some handler of the pool is not fresh, which short statements hardly
//! ever cause.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, Sqlite, SqliteConnection, pool::PoolOptions};

use crate::db::dialect::cancel::CancelFlag;

/// Steps of SQLite's machine between two calls of the handler: some milliseconds of work.
const OPERATIONS: i32 = 100_000;

/// The deadline of every statement on one pool; on the writer, of all statements of one transaction together.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    timeout: Duration,
    /// How many of the pool's handlers have been called since they were set.
    called: Arc<AtomicUsize>,
}

/// One handler's memory.
struct Handler {
    deadline: Deadline,
    cancelled: CancelFlag,
    began: Option<Instant>,
}

impl Deadline {
    pub(in crate::db) fn new(timeout: Duration) -> Self {
        Self { timeout, called: Arc::default() }
    }

    /// Has the pool end the connections that cannot be used again when they come back.
    pub(in crate::db) fn watch(options: PoolOptions<Sqlite>) -> PoolOptions<Sqlite> {
        // SQLite rolls a transaction back when it stops one of its writes. sqlx does not notice, and would take the
        // connection to be inside a transaction for ever.
        options.after_release(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
    }

    /// Makes a connection ready for the next statement; `false` when it cannot be used again.
    pub(in crate::db) async fn renew(
        &self,
        connection: &mut SqliteConnection,
        cancelled: &CancelFlag,
    ) -> sqlx::Result<bool> {
        if connection.is_in_transaction() {
            return Ok(false);
        }
        if self.called.load(SeqCst) > 0 {
            self.set(connection, cancelled).await?;
        }
        Ok(true)
    }

    /// Gives a connection a fresh handler.
    pub(in crate::db) async fn set(
        &self,
        connection: &mut SqliteConnection,
        cancelled: &CancelFlag,
    ) -> sqlx::Result<()> {
        let mut handler = Handler { deadline: self.clone(), cancelled: cancelled.clone(), began: None };
        connection.lock_handle().await?.set_progress_handler(OPERATIONS, move || handler.may_go_on());
        Ok(())
    }
}

impl Handler {
    fn may_go_on(&mut self) -> bool {
        if self.cancelled.is_cancelled() {
            return false;
        }
        if let Some(began) = self.began {
            return began.elapsed() < self.deadline.timeout;
        }
        self.began = Some(Instant::now());
        self.deadline.called.fetch_add(1, SeqCst);
        true
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if self.began.is_some() {
            self.deadline.called.fetch_sub(1, SeqCst);
        }
    }
}
