//! How the rows of a table are read that a statement of `list` selects: one by one on
//! PostgreSQL, all at once on SQLite, see `dialect::packed`. Their bytes are counted as they come, so that reading ends
//! where the answer could not hold them.

use futures_util::TryStreamExt;
use sqlx::{Either, Executor, FromRow, PgConnection, Postgres, Row, Sqlite, SqliteConnection, postgres::PgRow};

use super::list::Select;
use crate::db::{
    dialect::{
        Dialect,
        packed::{Unpack, unpack},
    },
    pool::Meter,
};

/// A connection that such statements run on.
pub(in crate::db) trait ReadRows {
    type Dialect: Dialect;

    /// The rows, in the order of the statement, which is kept prepared or not.
    fn rows<T>(
        &mut self,
        meter: &Meter,
        statement: Select<Self::Dialect>,
        keep: bool,
    ) -> impl Future<Output = sqlx::Result<Vec<T>>> + Send
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin;
}

impl ReadRows for PgConnection {
    type Dialect = Postgres;

    async fn rows<T>(&mut self, meter: &Meter, mut statement: Select<Postgres>, keep: bool) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin,
    {
        meter.read(0)?;
        let mut rows = Vec::new();
        // By `fetch_all` each row would go through two streams more.
        let mut steps = self.fetch_many(statement.query.build().persistent(keep));
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

    async fn rows<T>(&mut self, meter: &Meter, mut statement: Select<Sqlite>, keep: bool) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin,
    {
        meter.read(0)?;
        let mut rows = Vec::new();
        let query = statement.query.build().persistent(keep);
        if statement.in_parts {
            let mut parts = self.fetch(query);
            while let Some(part) = parts.try_next().await? {
                add(meter, part.try_get_unchecked(0)?, &mut rows)?;
            }
        } else {
            let connection = self;
            let all = query.fetch_one(connection).await?;
            add(meter, all.try_get_unchecked(0)?, &mut rows)?;
        }
        Ok(rows)
    }
}

fn add<T: Unpack>(meter: &Meter, packed: Option<&[u8]>, rows: &mut Vec<T>) -> sqlx::Result<()> {
    meter.read(packed.map_or(0, <[u8]>::len))?;
    unpack(packed, rows)
}
