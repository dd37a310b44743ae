//! A connection as the pool manages it: its state between statements, and what must happen before it is used again.

use std::{fmt, time::Duration};

use sqlx::{Connection, Database};
use tokio::{runtime::Handle, time::timeout};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Pool;

/// The time for closing a connection. The socket or the file is closed after it in any case.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The pings that a cancelled statement may take: its error may be the answer to one of them.
const PINGS: usize = 3;

/// A database whose connections are pooled.
pub(in crate::db) trait PooledDatabase: Database {
    /// How its connections are opened.
    type Connector: fmt::Debug + Send + Sync + 'static;

    /// What stops the statement that runs on one connection.
    type Canceller: StatementCanceller;

    /// Opens a connection.
    fn connect(
        connector: &Self::Connector,
    ) -> impl Future<Output = sqlx::Result<(Self::Connection, Self::Canceller)>> + Send;

    /// Runs a statement that begins or ends a transaction.
    fn control_transaction(
        connection: &mut Self::Connection,
        statement: &'static str,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// The pool whose connections cancel statements, if there is one.
    fn cancel_pool(connector: &Self::Connector) -> Option<&Pool<Self>>
    where
        Self: Sized;
}

/// Stops the statement of one connection: at its deadline, and when its request has ended.
pub(in crate::db) trait StatementCanceller: fmt::Debug + Send + Sync + 'static {
    /// Called before each statement.
    fn start_statement(&self);

    /// Called after each statement that ended.
    fn finish_statement(&self);

    /// Cancels the statement that runs.
    fn cancel(&self) -> impl Future<Output = ()> + Send;
}

/// The error of a statement.
pub(in crate::db) trait StatementError {
    /// Returns true if reading stopped before the last row, so that the statement may still run.
    fn is_unfinished(&self) -> bool;
}

impl StatementError for sqlx::Error {
    fn is_unfinished(&self) -> bool {
        matches!(self, Self::Decode(_) | Self::ColumnDecode { .. })
    }
}

impl StatementError for crate::error::Error {
    fn is_unfinished(&self) -> bool {
        false
    }
}

/// What is known of a connection from its last statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The last statement succeeded, or there was none yet.
    Clean,
    /// The last statement failed, or the connection was used without `start_statement`.
    Unchecked,
    /// A statement was started and has not finished.
    Running,
}

/// A connection of the pool. It closes when it is dropped.
pub(in crate::db) struct ManagedConnection<DB: PooledDatabase> {
    /// Absent once the connection is closed.
    raw: Option<DB::Connection>,
    canceller: DB::Canceller,
    state: State,
    in_transaction: bool,
    acquire_timeout: Duration,
    /// Held until the connection is closed.
    open: TaskTrackerToken,
}

impl<DB: PooledDatabase> ManagedConnection<DB> {
    pub(super) fn new(
        raw: DB::Connection,
        canceller: DB::Canceller,
        open: TaskTrackerToken,
        acquire_timeout: Duration,
    ) -> Self {
        Self { raw: Some(raw), canceller, state: State::Clean, in_transaction: false, acquire_timeout, open }
    }

    /// The sqlx connection.
    ///
    /// # Panics
    /// Panics if the connection was closed, which happens only to connections that leave the pool.
    pub(in crate::db) fn raw(&mut self) -> &mut DB::Connection {
        if self.state == State::Clean {
            self.state = State::Unchecked;
        }
        self.raw.as_mut().expect("a connection in use is open")
    }

    /// Marks the start of a statement. If the connection is released before the statement is finished, it is cancelled.
    pub(in crate::db) fn start_statement(&mut self) {
        self.state = State::Running;
        self.canceller.start_statement();
    }

    /// Marks the end of a statement.
    pub(in crate::db) fn finish_statement<T, E: StatementError>(&mut self, result: &Result<T, E>) {
        self.state = match result {
            Ok(_) => State::Clean,
            Err(error) if error.is_unfinished() => State::Running,
            Err(_) => State::Unchecked,
        };
        if self.state != State::Running {
            self.canceller.finish_statement();
        }
    }

    /// Begins a transaction. If the connection is released before a commit, the transaction is rolled back.
    pub(in crate::db) async fn begin(&mut self, statement: &'static str) -> sqlx::Result<()> {
        // Before the statement: when it fails the transaction may have begun.
        self.in_transaction = true;
        self.control_transaction(statement).await
    }

    /// Commits the transaction.
    pub(in crate::db) async fn commit(&mut self) -> sqlx::Result<()> {
        self.control_transaction("commit").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn control_transaction(&mut self, statement: &'static str) -> sqlx::Result<()> {
        self.start_statement();
        let result = DB::control_transaction(self.raw(), statement).await;
        self.finish_statement(&result);
        result
    }

    /// Returns true if the connection was closed and cannot be used again.
    pub(super) fn is_closed(&self) -> bool {
        self.raw.is_none()
    }

    /// Returns true if the connection can be used again as it is.
    pub(super) fn is_clean(&self) -> bool {
        self.state == State::Clean && !self.in_transaction
    }

    /// Returns true if [`Self::clean_up`] has to run before the connection is released.
    pub(super) fn needs_clean_up(&self) -> bool {
        self.state == State::Running || self.in_transaction
    }

    /// Cancels the statement that runs and rolls the transaction back. Closes the connection if that fails.
    pub(super) async fn clean_up(&mut self) {
        if !(self.cancel_statement().await && self.roll_back().await) {
            self.close().await;
        }
    }

    /// Returns true if no statement runs any more.
    async fn cancel_statement(&mut self) -> bool {
        if self.state != State::Running {
            return true;
        }
        self.canceller.cancel().await;
        let within = self.acquire_timeout;
        if !timeout(within, self.drain()).await.unwrap_or(false) {
            return false;
        }
        self.canceller.finish_statement();
        self.state = State::Unchecked;
        true
    }

    /// Waits until a cancelled statement has ended, and reads what is left of its result.
    async fn drain(&mut self) -> bool {
        for _ in 0..PINGS {
            if self.raw().ping().await.is_ok() {
                return true;
            }
        }
        false
    }

    /// Returns true if no transaction is open any more.
    async fn roll_back(&mut self) -> bool {
        if self.in_transaction {
            self.in_transaction = self.control_transaction("rollback").await.is_err();
        }
        !self.in_transaction
    }

    /// Returns true if the connection answers and is in no transaction of sqlx's own, which a failed migration leaves open.
    pub(super) async fn ping(&mut self) -> bool {
        let Some(raw) = self.raw.as_mut().filter(|raw| !raw.is_in_transaction()) else { return false };
        let answers = raw.ping().await.is_ok();
        if answers {
            self.state = State::Clean;
        }
        answers
    }

    /// Closes the connection.
    pub(super) async fn close(&mut self) {
        if let Some(raw) = self.raw.take() {
            // An error means that the connection is closed already.
            drop(timeout(CLOSE_TIMEOUT, raw.close()).await);
        }
    }
}

impl<DB: PooledDatabase> Drop for ManagedConnection<DB> {
    fn drop(&mut self) {
        // Outside of a runtime, dropping the sqlx connection closes it without a farewell.
        if let (Some(raw), Ok(runtime)) = (self.raw.take(), Handle::try_current()) {
            let open = self.open.clone();
            runtime.spawn(async move {
                drop(timeout(CLOSE_TIMEOUT, raw.close()).await);
                drop(open);
            });
        }
    }
}
