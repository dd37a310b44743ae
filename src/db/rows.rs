//! How the rows of a table are read that a statement of `list` selects: one by one on
//! PostgreSQL, all at once on SQLite, see `dialect::packed`.

use futures_util::TryStreamExt;
use sqlx::{
    Either, Executor, FromRow, PgConnection, Postgres, QueryBuilder, Row, Sqlite, SqliteConnection, postgres::PgRow,
};

use super::dialect::{
    Dialect,
    packed::{Unpack, unpack},
};

/// A connection that such statements run on.
pub(super) trait ReadRows {
    type Dialect: Dialect;

    /// The rows, in the order of the statement, which is kept prepared or not.
    fn rows<T>(
        &mut self,
        statement: QueryBuilder<Self::Dialect>,
        keep: bool,
    ) -> impl Future<Output = sqlx::Result<Vec<T>>> + Send
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin;
}

impl ReadRows for PgConnection {
    type Dialect = Postgres;

    async fn rows<T>(&mut self, mut statement: QueryBuilder<Postgres>, keep: bool) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin,
    {
        let mut rows = Vec::new();
        // By `fetch_all` each row would go through two streams more.
        let mut steps = self.fetch_many(statement.build().persistent(keep));
        while let Some(step) = steps.try_next().await? {
            if let Either::Right(row) = step {
                rows.push(T::from_row(&row)?);
            }
        }
        Ok(rows)
    }
}

impl ReadRows for SqliteConnection {
    type Dialect = Sqlite;

    async fn rows<T>(&mut self, mut statement: QueryBuilder<Sqlite>, keep: bool) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Unpack + Send + Unpin,
    {
        let connection = self;
        let row = statement.build().persistent(keep).fetch_one(connection).await?;
        unpack(row.try_get_unchecked(0)?)
    }
}
