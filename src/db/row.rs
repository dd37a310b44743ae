//! Rows of tables: `row!` declares the columns of a table once, for decoding, selecting and inserting.

use sqlx::{
    Arguments, AssertSqlSafe, Connection, Database, Encode, Postgres, Sqlite, Type, error::BoxDynError,
    postgres::PgArguments, query_with, sqlite::SqliteArguments,
};

use super::{Tx, query::Column, run};
use crate::error::Result;

/// A row of a table; implemented by `row!`.
pub trait TableRow: Sized {
    /// The name of the table.
    const TABLE: &'static str;
    /// The names of the columns, in the order in which a row is decoded.
    const COLUMNS: &'static [&'static str];
}

/// A row that can be inserted; implemented by `row!`, and for rows with columns that are never listed.
pub(crate) trait InsertRow {
    /// The name of the table.
    const TABLE: &'static str;

    /// The names of the columns, in the order of the values.
    fn columns() -> Vec<&'static str>;

    /// Appends the values of the columns.
    fn put(self, values: &mut impl RowValues) -> std::result::Result<(), BoxDynError>;
}

/// Collects the values of rows, each encoded for its database.
pub(crate) trait RowValues {
    /// Appends a value.
    fn put<'q, T>(&mut self, value: T) -> std::result::Result<(), BoxDynError>
    where
        T: Encode<'q, Postgres> + Type<Postgres> + Encode<'q, Sqlite> + Type<Sqlite>;
}

impl RowValues for PgArguments {
    fn put<'q, T>(&mut self, value: T) -> std::result::Result<(), BoxDynError>
    where
        T: Encode<'q, Postgres> + Type<Postgres> + Encode<'q, Sqlite> + Type<Sqlite>,
    {
        self.add(value)
    }
}

impl RowValues for SqliteArguments {
    fn put<'q, T>(&mut self, value: T) -> std::result::Result<(), BoxDynError>
    where
        T: Encode<'q, Postgres> + Type<Postgres> + Encode<'q, Sqlite> + Type<Sqlite>,
    {
        self.add(value)
    }
}

/// Implements [`TableRow`], [`InsertRow`], sqlx's `FromRow` for both databases and `Unpack` for a struct of the model. Its
/// fields have the names of the columns. `row!(Token in "tokens": id, name)` expands to
///
/// ```ignore
/// impl TableRow for Token {
///     const TABLE: &'static str = "tokens";
///     const COLUMNS: &'static [&'static str] = &["id", "name"];
/// }
/// impl InsertRow for Token {
///     // TABLE and columns() are those of TableRow.
///     fn put(self, values: &mut impl RowValues) -> Result<(), BoxDynError> {
///         values.put(self.id)?;
///         values.put(self.name)?;
///         Ok(())
///     }
/// }
/// impl FromRow<'_, PgRow> for Token { .. } // try_get_unchecked(0), try_get_unchecked(1); the same for SqliteRow
/// impl Unpack for Token { .. }             // values.next() for each field
/// ```
///
/// A macro, because a trait cannot name the fields of a struct, and the orphan rule forbids to implement `FromRow` for all
/// types that implement [`TableRow`].
macro_rules! row {
    ($name:ident in $table:literal: $($field:ident),+ $(,)?) => {
        impl $crate::db::row::TableRow for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
        }

        impl $crate::db::row::InsertRow for $name {
            const TABLE: &'static str = $table;

            fn columns() -> Vec<&'static str> {
                <Self as $crate::db::row::TableRow>::COLUMNS.to_vec()
            }

            fn put(self, values: &mut impl $crate::db::row::RowValues) -> std::result::Result<(), sqlx::error::BoxDynError> {
                $(values.put(self.$field)?;)+
                Ok(())
            }
        }

        $crate::db::row::row!(@from_row sqlx::postgres::PgRow, $name: $($field),+);
        $crate::db::row::row!(@from_row sqlx::sqlite::SqliteRow, $name: $($field),+);

        impl $crate::db::dialect::Unpack for $name {
            fn unpack(values: &mut $crate::db::dialect::PackedValues<'_>) -> sqlx::Result<Self> {
                Ok(Self { $($field: values.next()?),+ })
            }

            fn bytes(&self) -> usize {
                use $crate::db::dialect::PackedValue;
                size_of::<Self>() $(+ self.$field.heap_bytes())+
            }
        }
    };
    (@from_row $row:ty, $name:ident: $($field:ident),+) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                let mut column = 0_usize..;
                // Migrations and a test guarantee the types of the columns, so they are not checked for each value.
                $(let $field = sqlx::Row::try_get_unchecked(row, column.next().unwrap_or_default())?;)+
                Ok(Self { $($field),+ })
            }
        }
    };
}

pub(super) use row;

/// A column of the row's table. A name that is not one of its columns does not compile in a constant.
pub(super) const fn column<R: TableRow>(name: &'static str) -> Column {
    let mut index = 0;
    while index < R::COLUMNS.len() {
        if is_same(R::COLUMNS[index].as_bytes(), name.as_bytes()) {
            return Column(name);
        }
        index += 1;
    }
    panic!("the table has no such column")
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut index = 0;
    while index < a.len() && index < b.len() && a[index] == b[index] {
        index += 1;
    }
    index == a.len() && index == b.len()
}

/// A statement that selects the columns of a row from its table, with the alias `t`. `rest` is the rest of the statement:
/// perhaps more columns, then `from`.
pub(super) fn select<R: TableRow>(rest: &str) -> String {
    format!("select t.{}{rest}", R::COLUMNS.join(", t."))
}

/// Inserts a row. `on_conflict` is the end of the statement. Returns the number of inserted rows.
pub(super) async fn insert<R: InsertRow>(tx: &mut Tx, row: R, on_conflict: &str) -> Result<u64> {
    let columns = R::columns();
    let placeholders: Vec<_> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let text =
        format!("insert into {} ({}) values ({}) {on_conflict}", R::TABLE, columns.join(", "), placeholders.join(", "));
    run!(tx, connection => match arguments(connection, row) {
        Ok(arguments) => query_with(AssertSqlSafe(text), arguments)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()),
        Err(cause) => Err(sqlx::Error::Encode(cause)),
    })
}

/// The values of the row as arguments of a statement on the connection.
fn arguments<C, R>(_: &C, row: R) -> std::result::Result<<C::Database as Database>::Arguments, BoxDynError>
where
    C: Connection,
    R: InsertRow,
    <C::Database as Database>::Arguments: RowValues,
{
    let mut arguments = <C::Database as Database>::Arguments::default();
    row.put(&mut arguments)?;
    Ok(arguments)
}
