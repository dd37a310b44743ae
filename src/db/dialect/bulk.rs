//! Bulk loading: `COPY` on PostgreSQL, which is several times faster than any `insert`; inserts of many rows on SQLite.

use sqlx::{
    AssertSqlSafe, Encode, Executor, PgConnection, Postgres, QueryBuilder, Sqlite, SqliteConnection, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgDatabaseError},
    sqlite::SqliteArguments,
};

use crate::{
    db::{
        Tx, TxConnection,
        row::{InsertRow, RowValues},
    },
    error::{Error, ErrorCode},
};

/// Adds all rows, and reports the number of rows of each batch to `added`.
pub(in crate::db) async fn copy_in<R: InsertRow>(
    tx: &mut Tx,
    rows: impl Iterator<Item = R>,
    added: &mut (dyn FnMut(u64) + Send),
) -> sqlx::Result<()> {
    match &mut tx.connection {
        TxConnection::Sqlite(connection) => insert(connection.raw(), rows, added).await,
        TxConnection::Postgres(connection) => copy(connection.raw(), rows, added).await,
    }
}

/// Runs a statement without parameters and results.
pub(in crate::db) async fn run(tx: &mut Tx, statement: String) -> sqlx::Result<()> {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    match &mut tx.connection {
        TxConnection::Sqlite(connection) => connection.raw().execute(statement).await.map(drop),
        TxConnection::Postgres(connection) => connection.raw().execute(statement).await.map(drop),
    }
}

/// The error of a violated constraint or of a lock, for the operator.
pub(in crate::db) fn copy_error(table: &str, cause: sqlx::Error) -> Error {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const DEADLOCK: &str = "40P01";
    let Some(database) = cause.as_database_error() else { return cause.into() };
    if database.is_unique_violation() || database.is_foreign_key_violation() || database.is_check_violation() {
        let detail = database.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::detail);
        let detail = detail.map(|detail| format!(" ({})", detail.trim_end_matches('.'))).unwrap_or_default();
        return Error::new(
            ErrorCode::Conflict,
            format!(
                "{table} has other rows that conflict with these: {}{detail}. Nothing was changed",
                database.message()
            ),
        );
    }
    if database.code().is_some_and(|code| code == LOCK_NOT_AVAILABLE || code == DEADLOCK) {
        return Error::new(
            ErrorCode::Conflict,
            format!("{table} is locked by other connections: {}. Nothing was changed", database.message()),
        );
    }
    cause.into()
}

/// Bytes sent to the server at a time: enough to be efficient, few enough to show progress.
const COPY_BYTES: usize = 256 * 1024;

/// `COPY` in the binary format, which the codecs of the columns write: a signature, then each row as the number of its
/// columns and each value after its length, then -1.
async fn copy<R: InsertRow>(
    connection: &mut PgConnection,
    rows: impl Iterator<Item = R>,
    added: &mut (dyn FnMut(u64) + Send),
) -> sqlx::Result<()> {
    let columns = R::columns();
    let width = i16::try_from(columns.len()).map_err(|cause| sqlx::Error::Encode(cause.into()))?.to_be_bytes();
    let statement = format!("copy {} ({}) from stdin (format binary)", R::TABLE, columns.join(", "));
    let mut copy = connection.copy_in_raw(&statement).await?;
    let mut stream = CopyValues::default();
    stream.0.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
    let mut count = 0;
    for row in rows {
        stream.0.extend_from_slice(&width);
        row.put(&mut stream).map_err(sqlx::Error::Encode)?;
        count += 1;
        if stream.0.len() >= COPY_BYTES {
            copy.send(&stream.0[..]).await?;
            stream.0.clear();
            added(std::mem::take(&mut count));
        }
    }
    stream.0.extend_from_slice(&(-1_i16).to_be_bytes());
    copy.send(&stream.0[..]).await?;
    copy.finish().await?;
    added(count);
    Ok(())
}

#[derive(Default)]
struct CopyValues(PgArgumentBuffer);

impl RowValues for CopyValues {
    fn put<'q, T>(&mut self, value: T) -> Result<(), BoxDynError>
    where
        T: Encode<'q, Postgres> + Type<Postgres> + Encode<'q, Sqlite> + Type<Sqlite>,
    {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        let length = match Encode::<Postgres>::encode(value, &mut self.0)? {
            IsNull::Yes => -1,
            IsNull::No => i32::try_from(self.0.len() - start - 4)?,
        };
        self.0[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

/// Values in one statement; SQLite allows 32,766, but more than this are not measurably faster.
const INSERT_VALUES: usize = 900;

async fn insert<R: InsertRow>(
    connection: &mut SqliteConnection,
    rows: impl Iterator<Item = R>,
    added: &mut (dyn FnMut(u64) + Send),
) -> sqlx::Result<()> {
    let columns = R::columns();
    let batch = INSERT_VALUES / columns.len();
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let mut values = SqliteArguments::default();
        let mut count = 0;
        for row in rows.by_ref().take(batch) {
            row.put(&mut values).map_err(sqlx::Error::Encode)?;
            count += 1;
        }
        // The same text for every batch but the last, so it is prepared once.
        let mut q = QueryBuilder::<Sqlite>::new(format!("insert into {} ({}) ", R::TABLE, columns.join(", ")));
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        q.push("values ").push(vec![row; count].join(", "));
        sqlx::query_with(AssertSqlSafe(q.into_string()), values).execute(&mut *connection).await?;
        added(count as u64);
    }
    Ok(())
}
