//! Pouring in very many rows. The way is each database's own, hence two texts here: PostgreSQL takes a stream of rows
//! (COPY, several times quicker than any `insert`), SQLite has nothing like it and takes long lists of values.

use sqlx::{
    Arguments, AssertSqlSafe, Encode, Executor, PgConnection, Postgres, QueryBuilder, Sqlite, SqliteConnection, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgDatabaseError},
    sqlite::SqliteArguments,
};

use crate::{
    db::{
        Tx, TxConnection,
        bulk::{Cells, Row},
    },
    error::{Error, ErrorCode},
};

/// Adds all the rows; says after each part how many it had.
pub(in crate::db) async fn pour<R: Row>(
    tx: &mut Tx,
    rows: impl Iterator<Item = R>,
    poured: &mut (dyn FnMut(u64) + Send),
) -> sqlx::Result<()> {
    match &mut tx.connection {
        TxConnection::Sqlite(connection) => insert(connection.raw(), rows, poured).await,
        TxConnection::Postgres(connection) => copy(connection.raw(), rows, poured).await,
    }
}

/// A statement without a result.
pub(in crate::db) async fn run(tx: &mut Tx, statement: String) -> sqlx::Result<()> {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    match &mut tx.connection {
        TxConnection::Sqlite(connection) => connection.raw().execute(statement).await.map(drop),
        TxConnection::Postgres(connection) => connection.raw().execute(statement).await.map(drop),
    }
}

/// What the database objects to, for whoever runs the program.
pub(in crate::db) fn refused(table: &str, cause: sqlx::Error) -> Error {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const DEADLOCK: &str = "40P01";
    let Some(told) = cause.as_database_error() else { return cause.into() };
    if told.is_unique_violation() || told.is_foreign_key_violation() || told.is_check_violation() {
        let detail = told.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::detail);
        let detail = detail.map(|detail| format!(" ({})", detail.trim_end_matches('.'))).unwrap_or_default();
        return Error::new(
            ErrorCode::Conflict,
            format!(
                "{table} holds other rows that these would contradict: {}{detail}. Nothing was changed",
                told.message()
            ),
        );
    }
    if told.code().is_some_and(|code| code == LOCK_NOT_AVAILABLE || code == DEADLOCK) {
        return Error::new(
            ErrorCode::Conflict,
            format!("{table} is in use by others, and this needs it alone: {}. Nothing was changed", told.message()),
        );
    }
    cause.into()
}

/// Bytes on the way to the server at a time: enough to make the way cheap, little enough to show progress.
const COPY_BYTES: usize = 256 * 1024;

/// COPY in the binary format, which is what the columns' own codecs write anyway: a signature, then each row as the
/// number of its columns, then each value after its length, then -1.
async fn copy<R: Row>(
    connection: &mut PgConnection,
    rows: impl Iterator<Item = R>,
    poured: &mut (dyn FnMut(u64) + Send),
) -> sqlx::Result<()> {
    let width = i16::try_from(R::COLUMNS.len()).map_err(|cause| sqlx::Error::Encode(cause.into()))?.to_be_bytes();
    let statement = format!("copy {} ({}) from stdin (format binary)", R::TABLE, R::COLUMNS.join(", "));
    let mut copy = connection.copy_in_raw(&statement).await?;
    let mut stream = CopyCells::default();
    stream.0.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
    let mut count = 0;
    for row in rows {
        stream.0.extend_from_slice(&width);
        row.put(&mut stream).map_err(sqlx::Error::Encode)?;
        count += 1;
        if stream.0.len() >= COPY_BYTES {
            copy.send(&stream.0[..]).await?;
            stream.0.clear();
            poured(std::mem::take(&mut count));
        }
    }
    stream.0.extend_from_slice(&(-1_i16).to_be_bytes());
    copy.send(&stream.0[..]).await?;
    copy.finish().await?;
    poured(count);
    Ok(())
}

#[derive(Default)]
struct CopyCells(PgArgumentBuffer);

impl Cells for CopyCells {
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

/// Values in one statement of SQLite, which allows 32,766; more rows at a time gain nothing measurable.
const INSERT_VALUES: usize = 900;

async fn insert<R: Row>(
    connection: &mut SqliteConnection,
    rows: impl Iterator<Item = R>,
    poured: &mut (dyn FnMut(u64) + Send),
) -> sqlx::Result<()> {
    let at_a_time = INSERT_VALUES / R::COLUMNS.len();
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let mut values = InsertCells::default();
        let mut count = 0;
        for row in rows.by_ref().take(at_a_time) {
            row.put(&mut values).map_err(sqlx::Error::Encode)?;
            count += 1;
        }
        // The same text each time but the last, so it is prepared once.
        let mut q = QueryBuilder::<Sqlite>::new(format!("insert into {} ({}) ", R::TABLE, R::COLUMNS.join(", ")));
        let row = format!("({})", vec!["?"; R::COLUMNS.len()].join(", "));
        q.push("values ").push(vec![row; count].join(", "));
        sqlx::query_with(AssertSqlSafe(q.into_string()), values.0).execute(&mut *connection).await?;
        poured(count as u64);
    }
    Ok(())
}

#[derive(Default)]
struct InsertCells(SqliteArguments);

impl Cells for InsertCells {
    fn put<'q, T>(&mut self, value: T) -> Result<(), BoxDynError>
    where
        T: Encode<'q, Postgres> + Type<Postgres> + Encode<'q, Sqlite> + Type<Sqlite>,
    {
        self.0.add(value)
    }
}
