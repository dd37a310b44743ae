//! How many rows of a table are read: on SQLite one by one, on PostgreSQL as one row that holds a column's values as an
//! array. There each row of an answer is a message of its own, and taking one in costs sqlx more than all values in it.

use sqlx::{
    FromRow, PgConnection, Postgres, QueryBuilder, Sqlite, SqliteConnection, postgres::PgRow, sqlite::SqliteRow,
};

use super::dialect::Dialect;

/// A table's row, in both forms; made by `codec::row!`.
pub(super) trait Stored: for<'r> FromRow<'r, SqliteRow> + Send + Unpin {
    /// The rows of which this row has the columns.
    fn from_columns(row: &PgRow) -> sqlx::Result<Vec<Self>>;
}

/// Reads what a statement of `list` or `Dialect::page_of_each` selects.
pub(super) trait ReadRows {
    type Dialect: Dialect;

    /// The rows, in the order of the statement, which is kept prepared or not.
    fn rows<T: Stored>(
        &mut self,
        statement: QueryBuilder<Self::Dialect>,
        keep: bool,
    ) -> impl Future<Output = sqlx::Result<Vec<T>>> + Send;
}

impl ReadRows for SqliteConnection {
    type Dialect = Sqlite;

    async fn rows<T: Stored>(&mut self, mut statement: QueryBuilder<Sqlite>, keep: bool) -> sqlx::Result<Vec<T>> {
        let connection = self;
        statement.build_query_as().persistent(keep).fetch_all(connection).await
    }
}

impl ReadRows for PgConnection {
    type Dialect = Postgres;

    async fn rows<T: Stored>(&mut self, mut statement: QueryBuilder<Postgres>, keep: bool) -> sqlx::Result<Vec<T>> {
        let connection = self;
        T::from_columns(&statement.build().persistent(keep).fetch_one(connection).await?)
    }
}
