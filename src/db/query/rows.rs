//! Reads the rows that a statement of `select` returns: row by row on PostgreSQL, all rows as one value on SQLite, see
//! `dialect::packed`. Their bytes are counted as they arrive, so reading stops at the size limit of the response.

use futures_util::TryStreamExt;
use sqlx::{Either, Executor, FromRow, PgConnection, Postgres, Row, Sqlite, SqliteConnection, postgres::PgRow};

use super::select::Select;
use crate::db::{
    dialect::{Dialect, Unpack, unpack},
    pool::Meter,
};

/// A connection that such statements run on.
pub(in crate::db) trait ReadRows {
    type Dialect: Dialect;

    /// The rows, in the order of the statement. `persistent` keeps the prepared statement on the connection.
    fn rows<T>(
        &mut self,
        meter: &Meter,
        statement: Select<Self::Dialect>,
        persistent: bool,
    ) -> impl Future<Output = sqlx::Result<Vec<T>>> + Send
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin;
}

impl ReadRows for PgConnection {
    type Dialect = Postgres;

    async fn rows<T>(
        &mut self,
        meter: &Meter,
        mut statement: Select<Postgres>,
        persistent: bool,
    ) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin,
    {
        meter.read(0)?;
        let mut rows = Vec::new();
        // `fetch_all` would pass each row through two more streams.
        let mut steps = self.fetch_many(statement.query.build().persistent(persistent));
        while let Some(step) = steps.try_next().await? {
            if let Either::Right(row) = step {
                let row = T::from_row(&row)?;
                meter.read(row.bytes())?;
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

impl ReadRows for SqliteConnection {
    type Dialect = Sqlite;

    async fn rows<T>(&mut self, meter: &Meter, mut statement: Select<Sqlite>, persistent: bool) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin,
    {
        meter.read(0)?;
        let mut rows = Vec::new();
        let query = statement.query.build().persistent(persistent);
        if statement.in_parts {
            let mut parts = self.fetch(query);
            while let Some(part) = parts.try_next().await? {
                unpack_metered(meter, part.try_get_unchecked(0)?, &mut rows)?;
            }
        } else {
            let connection = self;
            let all = query.fetch_one(connection).await?;
            unpack_metered(meter, all.try_get_unchecked(0)?, &mut rows)?;
        }
        Ok(rows)
    }
}

fn unpack_metered<T: Unpack>(meter: &Meter, packed: Option<&[u8]>, rows: &mut Vec<T>) -> sqlx::Result<()> {
    meter.read(packed.map_or(0, <[u8]>::len))?;
    unpack(packed, rows)
}
