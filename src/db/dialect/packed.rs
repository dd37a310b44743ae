//! All rows of a statement as one value: the SQL for SQLite, and the decoder.
//!
//! sqlx runs SQLite on a thread for each connection and sends row by row, waking our thread each time. That took three
//! times as long as SQLite's own work for a row.
//!
//! Each value is followed by a byte that never occurs in UTF-8, so texts need no escapes. Of several formats (JSON, quoted
//! or escaped text, values with a length prefix) it is the fastest to write and to read.

use std::str::from_utf8;

use sqlx::error::{BoxDynError, UnexpectedNullError};

use crate::{
    db::query::{Column, Table},
    model::RawJson,
};

/// The end of a value; `x'ff'` in SQL.
const END: u8 = 0xff;
/// A null value; `x'fe'` in SQL.
const NULL: &[u8] = &[0xfe];

/// The start of a query for the columns of `t`, up to and including its `from`.
///
/// The order of the rows is kept because SQLite does not flatten an ordered subquery into one that aggregates (rule 16 of
/// its subquery flattening; 3.51 is linked statically). An `order by` within `group_concat` would sort rows again that an
/// index has sorted.
///
/// In parts, each row is a value of its own.
pub(in crate::db) fn select(table: &Table, pruned: &[Column], in_parts: bool) -> String {
    let mut sql = String::with_capacity(96 + 32 * table.columns.len());
    sql.push_str(if in_parts { "select packed from (" } else { "select group_concat(packed, '') from (" });
    sql.push_str("select concat_ws(x'ff'");
    for column in table.selected_columns(pruned) {
        sql.push_str(", ");
        match column {
            Some(column) => sql.extend(["coalesce(t.", column, ", x'fe')"]),
            None => sql.push_str("x'fe'"),
        }
    }
    sql.push_str(", '') as packed from ");
    sql
}

/// The end of that query.
pub(in crate::db) const SELECT_END: &str = ")";

/// A row that can be decoded from packed values; implemented by `row!`.
pub trait Unpack: Sized {
    /// The row, from the next values.
    fn unpack(values: &mut PackedValues<'_>) -> sqlx::Result<Self>;

    /// The memory that the row takes in bytes, roughly.
    fn bytes(&self) -> usize;
}

/// The values that are not decoded yet.
#[derive(Debug)]
pub struct PackedValues<'r>(&'r [u8]);

impl PackedValues<'_> {
    /// The next value, as the type of its column.
    pub(in crate::db) fn next<T: PackedValue>(&mut self) -> sqlx::Result<T> {
        self.next_text().and_then(T::from_text).map_err(sqlx::Error::Decode)
    }

    fn next_text(&mut self) -> Result<Option<&str>, BoxDynError> {
        let end = self.0.iter().position(|byte| *byte == END).ok_or("a packed row is incomplete")?;
        let (value, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(if value == NULL { None } else { Some(from_utf8(value)?) })
    }
}

/// Appends the rows that such a query returned: null if there are none.
pub(in crate::db) fn unpack<T: Unpack>(packed: Option<&[u8]>, rows: &mut Vec<T>) -> sqlx::Result<()> {
    let mut values = PackedValues(packed.unwrap_or_default());
    while !values.0.is_empty() {
        rows.push(T::unpack(&mut values)?);
    }
    Ok(())
}

/// The type of a column.
pub(in crate::db) trait PackedValue: Sized {
    /// The value, from SQLite's text of it, which is `None` for null.
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError>;

    /// The memory that the value takes on the heap, in bytes.
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl<T: PackedValue> PackedValue for Option<T> {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        text.map(|text| T::from_text(Some(text))).transpose()
    }

    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::heap_bytes)
    }
}

impl PackedValue for String {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        Ok(text.ok_or(UnexpectedNullError)?.to_owned())
    }

    fn heap_bytes(&self) -> usize {
        self.len()
    }
}

impl PackedValue for RawJson {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        String::from_text(text).map(Self)
    }

    fn heap_bytes(&self) -> usize {
        self.0.len()
    }
}

impl PackedValue for bool {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        match text.ok_or(UnexpectedNullError)? {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err("neither 0 nor 1".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, Row, SqliteConnection, query, query_as, raw_sql};

    use super::*;

    static THINGS: Table = Table { name: "things", columns: &["a", "b"], large_column: None };

    #[derive(Debug, PartialEq)]
    struct Thing(Option<String>, Option<String>);

    impl Unpack for Thing {
        fn unpack(values: &mut PackedValues<'_>) -> sqlx::Result<Self> {
            Ok(Self(values.next()?, values.next()?))
        }

        fn bytes(&self) -> usize {
            0
        }
    }

    fn unpacked(packed: Option<&[u8]>) -> sqlx::Result<Vec<Thing>> {
        let mut things = Vec::new();
        unpack(packed, &mut things)?;
        Ok(things)
    }

    async fn things(connection: &mut SqliteConnection, pruned: &[Column]) -> sqlx::Result<Vec<Thing>> {
        let sql = |in_parts| {
            format!("{}things t order by t.rowid desc limit 200{SELECT_END}", select(&THINGS, pruned, in_parts))
        };
        let row = query(sqlx::AssertSqlSafe(sql(false))).fetch_one(&mut *connection).await?;
        let things = unpacked(row.try_get_unchecked(0)?)?;
        let mut in_parts = Vec::<Thing>::new();
        for row in query(sqlx::AssertSqlSafe(sql(true))).fetch_all(connection).await? {
            unpack(row.try_get_unchecked(0)?, &mut in_parts)?;
        }
        assert_eq!(in_parts, things);
        Ok(things)
    }

    /// All texts of two of these, in both columns; null and empty too.
    #[tokio::test]
    async fn texts_are_read_unchanged() {
        let letters = ["", "\0", "\u{1f}", "ÿ", "\u{ffff}", "'", "\"", "\\", "{", ",", "\n"];
        let texts = letters.iter().flat_map(|first| letters.map(|second| Some(format!("{first}{second}"))));
        let texts: Vec<_> = texts.chain([None]).collect();
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("connects");
        raw_sql("create table things (a, b)").execute(&mut connection).await.expect("a table");
        assert_eq!(things(&mut connection, &[]).await.expect("no things"), []);
        for (a, b) in texts.iter().zip(texts.iter().rev()) {
            query("insert into things values ($1, $2)")
                .bind(a)
                .bind(b)
                .execute(&mut connection)
                .await
                .expect("inserts");
        }
        let plain: Vec<(Option<String>, Option<String>)> =
            query_as("select a, b from things order by rowid desc").fetch_all(&mut connection).await.expect("things");
        let plain: Vec<_> = plain.into_iter().map(|(a, b)| Thing(a, b)).collect();
        assert_eq!(things(&mut connection, &[]).await.expect("things"), plain);
        let without_a: Vec<_> = plain.into_iter().map(|Thing(_, b)| Thing(None, b)).collect();
        assert_eq!(things(&mut connection, &[Column("a")]).await.expect("things"), without_a);
    }

    #[test]
    fn incomplete_rows_are_an_error() {
        assert_eq!(unpacked(Some(b"a\xff\xfe\xff")).expect("a row"), [Thing(Some("a".to_owned()), None)]);
        for packed in [&b"a"[..], b"a\xff", b"a\xffb", b"a\xffb\xffc\xff", b"\xc3\xff\xff", b"a\xfe\xffb\xff"] {
            assert!(unpacked(Some(packed)).is_err(), "{packed:?}");
        }
    }
}
