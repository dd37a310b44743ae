//! Stops SQLite statements whose time is up. PostgreSQL does this by itself (`statement_timeout`).
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
    began: Option<Instant>,
}

impl Deadline {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, called: Arc::default() }
    }

    /// Gives every connection of the pool a handler, and a fresh one when it comes back: the pool gets those whose
    /// statement was stopped, and hands them out as they are.
    pub(super) fn watch(&self, options: PoolOptions<Sqlite>) -> PoolOptions<Sqlite> {
        let (at_first, again) = (self.clone(), self.clone());
        options
            .after_connect(move |connection, _| {
                let deadline = at_first.clone();
                Box::pin(async move { deadline.set(connection).await })
            })
            .after_release(move |connection, _| {
                let deadline = again.clone();
                Box::pin(async move { deadline.renew(connection).await })
            })
    }

    /// Makes a connection ready for the next statement; `false` when it cannot be used again.
    pub(super) async fn renew(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        // SQLite rolls a transaction back when it stops one of its writes. sqlx does not notice, and would take the
        // connection to be inside a transaction for ever.
        if connection.is_in_transaction() {
            return Ok(false);
        }
        if self.called.load(SeqCst) > 0 {
            self.set(connection).await?;
        }
        Ok(true)
    }

    async fn set(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let mut handler = Handler { deadline: self.clone(), began: None };
        connection.lock_handle().await?.set_progress_handler(OPERATIONS, move || handler.may_go_on());
        Ok(())
    }
}

impl Handler {
    fn may_go_on(&mut self) -> bool {
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
