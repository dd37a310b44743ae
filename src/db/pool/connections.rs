//! The connections to one database, and who has them. sqlx's pool asks a connection whether it lives each time it gets it
//! back: a round trip for each statement. Here a connection goes back to the pool only when something went wrong with it.
//! A statement that nobody waits for any more is cancelled in the database.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Connection, Database, Pool, Postgres, Sqlite, pool::PoolConnection, raw_sql};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::deadline::Deadline;
use crate::{
    db::dialect::cancel::{Backend, CancelFlag, Canceller, drain},
    error::Error,
};

/// After how long a connection that was not used is asked whether it lives: a database that was restarted leaves dead
/// ones behind.
const IDLE: Duration = Duration::from_secs(1);
/// After how long a connection that nobody needs is given back to the pool, which closes it in time.
const SPARE: Duration = Duration::from_mins(1);
/// How old a connection may become; sqlx's own bound.
const MAX_AGE: Duration = Duration::from_mins(30);

/// A database whose connections are used again.
pub(crate) trait Reused: Database {
    /// What its connections need before they are used again.
    type Care: Clone + std::fmt::Debug + Send + Sync;

    /// By what the statement that runs on a connection is found, to cancel it.
    type Running: Clone + std::fmt::Debug + Send + Sync + 'static;

    /// The same of a connection that has just come from the pool.
    fn prepare(
        care: &Self::Care,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<Self::Running>> + Send;

    /// Whether a connection can be used again, after so long.
    fn is_fit(
        care: &Self::Care,
        statement: &Self::Running,
        connection: &mut Self::Connection,
        unused: Duration,
    ) -> impl Future<Output = bool> + Send;

    /// Cancels the statement that runs on a connection.
    fn cancel(care: &Self::Care, statement: &Self::Running) -> impl Future<Output = ()> + Send;

    /// Ends what only cancelling needs.
    fn close(care: &Self::Care) -> impl Future<Output = ()> + Send;

    /// Runs a statement that begins or ends a transaction.
    fn run(connection: &mut Self::Connection, statement: &'static str)
    -> impl Future<Output = sqlx::Result<()>> + Send;
}

impl Reused for Postgres {
    type Care = Canceller;
    type Running = Backend;

    async fn prepare(_: &Canceller, connection: &mut Self::Connection) -> sqlx::Result<Backend> {
        Backend::of(connection).await
    }

    async fn is_fit(_: &Canceller, _: &Backend, connection: &mut Self::Connection, unused: Duration) -> bool {
        unused < IDLE || connection.ping().await.is_ok()
    }

    async fn cancel(canceller: &Canceller, backend: &Backend) {
        canceller.cancel(*backend).await;
    }

    async fn close(canceller: &Canceller) {
        canceller.close().await;
    }

    async fn run(connection: &mut Self::Connection, statement: &'static str) -> sqlx::Result<()> {
        raw_sql(statement).execute(connection).await.map(drop)
    }
}

impl Reused for Sqlite {
    type Care = Option<Deadline>;
    type Running = CancelFlag;

    async fn prepare(deadline: &Option<Deadline>, connection: &mut Self::Connection) -> sqlx::Result<CancelFlag> {
        let flag = CancelFlag::default();
        if let Some(deadline) = deadline {
            deadline.set(connection, &flag).await?;
        }
        Ok(flag)
    }

    async fn is_fit(
        deadline: &Option<Deadline>,
        flag: &CancelFlag,
        connection: &mut Self::Connection,
        _: Duration,
    ) -> bool {
        match deadline {
            Some(deadline) => deadline.renew(connection, flag).await.unwrap_or(false),
            None => true,
        }
    }

    async fn cancel(_: &Option<Deadline>, flag: &CancelFlag) {
        flag.cancel();
    }

    async fn close(_: &Option<Deadline>) {}

    async fn run(connection: &mut Self::Connection, statement: &'static str) -> sqlx::Result<()> {
        raw_sql(statement).execute(connection).await.map(drop)
    }
}

/// The error of a statement, by which it is known whether the statement has ended.
pub(crate) trait StatementError {
    /// Whether reading stopped before the last row, so that the statement still runs.
    fn is_unfinished(&self) -> bool;
}

impl StatementError for sqlx::Error {
    fn is_unfinished(&self) -> bool {
        matches!(self, Self::Decode(_) | Self::ColumnDecode { .. })
    }
}

impl StatementError for Error {
    fn is_unfinished(&self) -> bool {
        false
    }
}

/// Connections to one database; cheap to clone.
#[derive(Debug)]
pub(crate) struct Connections<DB: Reused>(Arc<Shared<DB>>);

#[derive(Debug)]
struct Shared<DB: Reused> {
    pool: Pool<DB>,
    care: DB::Care,
    /// As many as there may be connections, so whoever has a place finds one here or gets one from the pool.
    places: Arc<Semaphore>,
    /// Those that nobody uses; the one at the back was used last.
    spare: Mutex<VecDeque<Spare<DB>>>,
}

#[derive(Debug)]
struct Spare<DB: Reused> {
    connection: PoolConnection<DB>,
    statement: DB::Running,
    born: Instant,
    since: Instant,
}

/// A connection in use. It is used again by others when it was [kept](Lease::keep), and looked at by the pool otherwise.
#[derive(Debug)]
pub(crate) struct Lease<DB: Reused> {
    connection: Option<PoolConnection<DB>>,
    statement: DB::Running,
    born: Instant,
    sound: bool,
    in_transaction: bool,
    /// Whether a statement was begun and has not ended.
    running: bool,
    of: Arc<Shared<DB>>,
    /// Given up after the connection, which is then where the next one looks for it.
    place: Option<OwnedSemaphorePermit>,
}

impl<DB: Reused> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Reused> Connections<DB> {
    pub(in crate::db) fn new(pool: Pool<DB>, care: DB::Care) -> Self {
        let places = Arc::new(Semaphore::new(pool.options().get_max_connections() as usize));
        Self(Arc::new(Shared { pool, care, places, spare: Mutex::default() }))
    }

    /// A connection for a statement or a transaction; an error when none is free in time, or the database is away.
    pub(in crate::db) async fn lease(&self) -> sqlx::Result<Lease<DB>> {
        let shared = &self.0;
        let patience = shared.pool.options().get_acquire_timeout();
        let place = timeout(patience, Arc::clone(&shared.places).acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        // Whoever has a place waits for nobody but the database, which may not answer at all.
        let (connection, statement, born) = match timeout(patience, shared.get()).await {
            Err(_) | Ok(Err(sqlx::Error::PoolTimedOut)) => return Err(std::io::Error::from(ErrorKind::TimedOut).into()),
            Ok(connection) => connection?,
        };
        Ok(Lease {
            connection: Some(connection),
            statement,
            born,
            sound: false,
            in_transaction: false,
            running: false,
            of: Arc::clone(shared),
            place: Some(place),
        })
    }

    /// How the connections were opened.
    pub(in crate::db) fn pool(&self) -> &Pool<DB> {
        &self.0.pool
    }

    /// Ends all connections; waits for those in use.
    pub(in crate::db) async fn close(&self) {
        self.0.places.close();
        self.0.spare().clear();
        self.0.pool.close().await;
        DB::close(&self.0.care).await;
    }
}

impl<DB: Reused> Shared<DB> {
    /// Nothing panics while it holds this lock.
    fn spare(&self) -> MutexGuard<'_, VecDeque<Spare<DB>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that nobody uses, with when it was first taken from the pool.
    async fn get(&self) -> sqlx::Result<(PoolConnection<DB>, DB::Running, Instant)> {
        loop {
            // Not in the loop's condition: the lock would be held while the connection is asked.
            let spare = self.spare().pop_back();
            let Some(mut spare) = spare else { break };
            if spare.born.elapsed() < MAX_AGE
                && DB::is_fit(&self.care, &spare.statement, &mut spare.connection, spare.since.elapsed()).await
            {
                return Ok((spare.connection, spare.statement, spare.born));
            }
        }
        // Boxed, as what opens a connection is large, rare, and part of every future that runs a statement.
        Box::pin(async {
            let mut connection = self.pool.acquire().await?;
            let statement = DB::prepare(&self.care, &mut connection).await?;
            Ok((connection, statement, Instant::now()))
        })
        .await
    }

    /// Takes back a connection, and lets go of one that has not been needed for long.
    fn put(&self, connection: PoolConnection<DB>, statement: DB::Running, born: Instant) {
        let now = Instant::now();
        let mut spare = self.spare();
        // Asked under the lock: what comes here after `close` has emptied the list would stay, and `close` wait for it.
        if self.places.is_closed() {
            return;
        }
        spare.push_back(Spare { connection, statement, born, since: now });
        let unneeded = spare.front().is_some_and(|oldest| now - oldest.since > SPARE);
        let oldest = unneeded.then(|| spare.pop_front());
        drop(spare);
        drop(oldest);
    }
}

impl<DB: Reused> Drop for Shared<DB> {
    fn drop(&mut self) {
        // Outside of the run-time the pool could not take them back, and sqlx would panic: they are just closed.
        if tokio::runtime::Handle::try_current().is_err() {
            for spare in self.spare().drain(..) {
                drop(spare.connection.leak());
            }
        }
    }
}

impl<DB: Reused> Lease<DB> {
    /// Says that what was asked has been answered to the end. Without this, as after an error or when whoever asked went
    /// away, the pool looks after the connection.
    pub(in crate::db) fn keep(&mut self) {
        self.sound = true;
    }

    /// Says that a statement begins: it is cancelled if the lease is dropped before it [ends](Self::ends).
    pub(in crate::db) fn begins(&mut self) {
        self.running = true;
    }

    /// Says that a statement has answered.
    pub(in crate::db) fn ends<T, E: StatementError>(&mut self, result: &Result<T, E>) {
        self.running = result.as_ref().is_err_and(StatementError::is_unfinished);
    }

    /// Begins a transaction.
    pub(in crate::db) async fn begin(&mut self, statement: &'static str) -> sqlx::Result<()> {
        // Also when it fails: it may have begun.
        self.in_transaction = true;
        self.run(statement).await
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        self.begins();
        let result = DB::run(self, statement).await;
        self.ends(&result);
        result
    }

    /// Makes the changes of the transaction last.
    pub(in crate::db) async fn commit(&mut self) -> sqlx::Result<()> {
        self.run("commit").await?;
        self.in_transaction = false;
        self.keep();
        Ok(())
    }
}

const IN_USE: &str = "only dropping a lease takes its connection";

impl<DB: Reused> Deref for Lease<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        self.connection.as_ref().expect(IN_USE)
    }
}

impl<DB: Reused> DerefMut for Lease<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.connection.as_mut().expect(IN_USE)
    }
}

impl<DB: Reused> Drop for Lease<DB> {
    fn drop(&mut self) {
        let (Some(mut connection), Some(place)) = (self.connection.take(), self.place.take()) else { return };
        let (of, born, statement) = (Arc::clone(&self.of), self.born, self.statement.clone());
        let (in_transaction, running) = (self.in_transaction, self.running);
        if in_transaction || running {
            // Until nothing runs and all is rolled back nobody else gets the connection, nor its place.
            tokio::spawn(async move {
                if running {
                    DB::cancel(&of.care, &statement).await;
                    if !drain::<DB>(&mut connection, of.pool.options().get_acquire_timeout()).await {
                        drop(connection.detach());
                        return;
                    }
                }
                if in_transaction && DB::run(&mut connection, "rollback").await.is_err() {
                    drop(connection.close().await);
                } else if !running {
                    of.put(connection, statement, born);
                }
                drop(place);
            });
        } else if self.sound {
            of.put(connection, statement, born);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::db::{Db, Settings};

    #[test]
    fn a_handle_may_be_dropped_outside_of_the_run_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a run-time");
        let db = runtime.block_on(async {
            let db = Db::connect(&url, Settings { create: true, ..Settings::default() }).await.expect("connects");
            db.ping().await.expect("answers");
            db
        });
        drop(db);
    }
}
