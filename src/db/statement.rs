//! Runs one statement text on either database: the macro `run!` and the types of its expansion.

use sqlx::{Postgres, Sqlite};

use super::{
    Db, Pools, Tx, TxConnection, dialect,
    pool::{Meter, PooledConnection, PooledDatabase, RowCount, StatementError, StatementPermit},
};
use crate::error::{Error, Result};

/// Runs one statement on a `Db`, a `Tx` or an `AccountsTx`, and counts it:
/// `run!(db, connection => query(SQL).bind(id).fetch_all(connection).await)`.
///
/// The expression is compiled once for each database, so the compiler checks it for both. The expansion is
///
/// ```ignore
/// match db.start_statement().await {
///     Ok(Statement::Sqlite(mut statement)) => {
///         let connection = statement.connection(); // &mut SqliteConnection
///         let result = query(SQL).bind(id).fetch_all(connection).await;
///         statement.finish(result)
///     }
///     Ok(Statement::Postgres(mut statement)) => {
///         let connection = statement.connection(); // &mut PgConnection
///         let result = query(SQL).bind(id).fetch_all(connection).await;
///         statement.finish(result)
///     }
///     Err(error) => Err(error),
/// }
/// ```
///
/// The second form is for a statement that stays prepared only if its generic plan is good:
/// `run!(db, connection, persistent = generic_plan_is_safe(filter) => q.persistent(persistent).fetch_all(connection).await)`.
/// sqlx 0.9 loses an unnamed statement that uses a type which the connection does not know yet (its issue 4305). The
/// expansion runs a lost statement again as a persistent one:
///
/// ```ignore
/// let mut persistent = generic_plan_is_safe(filter);
/// loop {
///     match run!(db, connection => q.persistent(persistent).fetch_all(connection).await) {
///         Err(error) if !persistent && is_lost_statement(&error) => persistent = true,
///         result => break result,
///     }
/// }
/// ```
macro_rules! run {
    ($target:expr, $connection:ident => $statement:expr) => {
        match $target.start_statement().await {
            Ok($crate::db::statement::Statement::Sqlite(mut statement)) => {
                let $connection = statement.connection();
                let result = $statement;
                statement.finish(result)
            }
            Ok($crate::db::statement::Statement::Postgres(mut statement)) => {
                let $connection = statement.connection();
                let result = $statement;
                statement.finish(result)
            }
            Err(error) => Err(error),
        }
    };
    ($target:expr, $connection:ident, $persistent:ident = $generic_plan_is_safe:expr => $statement:expr) => {{
        let mut $persistent = $generic_plan_is_safe;
        loop {
            match $crate::db::statement::run!($target, $connection => $statement) {
                Err(error) if !$persistent && $crate::db::statement::is_lost_statement(&error) => $persistent = true,
                result => break result,
            }
        }
    }};
}

pub(super) use run;

/// A connection for one statement, by database.
pub(super) enum Statement<'a> {
    Sqlite(Running<'a, Sqlite>),
    Postgres(Running<'a, Postgres>),
}

/// One statement. Dropping it before it is finished cancels the statement in the database.
pub(super) struct Running<'a, DB: PooledDatabase> {
    connection: Connection<'a, DB>,
    meter: &'a Meter,
    _permit: Option<StatementPermit>,
}

enum Connection<'a, DB: PooledDatabase> {
    Pooled(PooledConnection<DB>),
    OfTransaction(&'a mut PooledConnection<DB>),
}

impl Db {
    /// Acquires a connection for one statement.
    pub(super) async fn start_statement(&self) -> Result<Statement<'_>> {
        let permit = self.statement_permits.statement().await;
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => {
                Statement::Sqlite(Running::start(Connection::Pooled(readers.acquire().await?), &self.meter, permit))
            }
            Pools::Postgres(pool) => {
                Statement::Postgres(Running::start(Connection::Pooled(pool.acquire().await?), &self.meter, permit))
            }
        })
    }
}

impl Tx {
    /// Starts a statement on the transaction's connection.
    #[expect(clippy::unused_async, reason = "`run!` awaits it, as it does for a `Db`")]
    pub(super) async fn start_statement(&mut self) -> Result<Statement<'_>> {
        Ok(match &mut self.connection {
            TxConnection::Sqlite(connection) => {
                Statement::Sqlite(Running::start(Connection::OfTransaction(connection), &self.meter, None))
            }
            TxConnection::Postgres(connection) => {
                Statement::Postgres(Running::start(Connection::OfTransaction(connection), &self.meter, None))
            }
        })
    }
}

impl<'a, DB: PooledDatabase> Running<'a, DB> {
    fn start(mut connection: Connection<'a, DB>, meter: &'a Meter, permit: Option<StatementPermit>) -> Self {
        connection.get().start_statement();
        Self { connection, meter, _permit: permit }
    }

    pub(super) fn connection(&mut self) -> &mut DB::Connection {
        self.connection.get().raw()
    }

    /// Counts the statement and its rows. A lost statement did not run and is not counted.
    pub(super) fn finish<T: RowCount, E: StatementError + Into<Error>>(mut self, result: Result<T, E>) -> Result<T> {
        self.connection.get().finish_statement(&result);
        let result = result.map_err(Into::into);
        if !result.as_ref().is_err_and(is_lost_statement) {
            self.meter.count_statement(result.as_ref().map_or(0, RowCount::row_count));
        }
        result
    }
}

impl<DB: PooledDatabase> Connection<'_, DB> {
    fn get(&mut self) -> &mut PooledConnection<DB> {
        match self {
            Self::Pooled(connection) => connection,
            Self::OfTransaction(connection) => connection,
        }
    }
}

/// Returns true if PostgreSQL had lost a prepared statement before it ran.
pub(super) fn is_lost_statement(error: &Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<sqlx::Error>());
    cause.is_some_and(dialect::is_lost_statement)
}
