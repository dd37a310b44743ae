//! All rows of a statement as one value: how SQLite writes it, and how it is read.
//!
//! sqlx runs SQLite on a thread of the connection's own and hands over row by row, waking our thread each time. That took
//! three times as long as all that SQLite does for a row.
//!
//! Each column's value is followed by a byte that no UTF-8 has, so texts need no escapes, whatever is in them. Of
//! several forms (JSON, quoted or escaped text, lengths before values) it is the quickest to write and to read.

use std::str::from_utf8;

use sqlx::error::{BoxDynError, UnexpectedNullError};

use crate::{
    db::query::{filter::Column, list::Table},
    model::RawJson,
};

/// What ends a value; `x'ff'` in SQL.
const END: u8 = 0xff;
/// A value that is null; `x'fe'` in SQL.
const NULL: &[u8] = &[0xfe];

/// A query for the columns of `t` in all rows of the source, which is what stands from `from` on, with its order and limit.
///
/// The order is kept because SQLite does not merge an ordered subquery into one that aggregates (its rule 16 for
/// flattening; 3.51 is linked statically). An order within `group_concat` would sort again what an index has sorted.
///
/// In parts, each row is a value of its own.
pub(in crate::db) fn select(table: &Table, pruned_columns: &[Column], in_parts: bool) -> String {
    let mut sql = String::with_capacity(96 + 32 * table.columns.len());
    sql.push_str(if in_parts { "select packed from (" } else { "select group_concat(packed, '') from (" });
    sql.push_str("select concat_ws(x'ff'");
    for column in table.columns_without(pruned_columns) {
        sql.push_str(", ");
        match column {
            Some(column) => sql.extend(["coalesce(t.", column, ", x'fe')"]),
            None => sql.push_str("x'fe'"),
        }
    }
    sql.push_str(", '') as packed from ");
    sql
}

/// What ends that query.
pub(in crate::db) const SELECT_END: &str = ")";

/// A table's row that can be read from its values; made by `codec::row!`.
pub(in crate::db) trait Unpack: Sized {
    fn unpack(values: &mut Values<'_>) -> sqlx::Result<Self>;

    /// How many bytes the row takes in memory, roughly.
    fn bytes(&self) -> usize;
}

/// The values that are still to be read.
#[derive(Debug)]
pub(in crate::db) struct Values<'r>(&'r [u8]);

impl Values<'_> {
    /// The next value, as the type that the column has.
    pub fn next<T: Value>(&mut self) -> sqlx::Result<T> {
        self.next_text().and_then(T::from_text).map_err(sqlx::Error::Decode)
    }

    fn next_text(&mut self) -> Result<Option<&str>, BoxDynError> {
        let end = self.0.iter().position(|byte| *byte == END).ok_or("a row of the list is not complete")?;
        let (value, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(if value == NULL { None } else { Some(from_utf8(value)?) })
    }
}

/// Adds the rows that such a query gave: a null when there are none.
pub(in crate::db) fn unpack<T: Unpack>(packed: Option<&[u8]>, rows: &mut Vec<T>) -> sqlx::Result<()> {
    let mut values = Values(packed.unwrap_or_default());
    while !values.0.is_empty() {
        rows.push(T::unpack(&mut values)?);
    }
    Ok(())
}

/// What a column can hold.
pub(in crate::db) trait Value: Sized {
    /// From SQLite's text of it, which is absent for null.
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError>;

    /// Bytes that it takes beside its own size.
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl<T: Value> Value for Option<T> {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        text.map(|text| T::from_text(Some(text))).transpose()
    }

    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::heap_bytes)
    }
}

impl Value for String {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        Ok(text.ok_or(UnexpectedNullError)?.to_owned())
    }

    fn heap_bytes(&self) -> usize {
        self.len()
    }
}

impl Value for RawJson {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        String::from_text(text).map(Self)
    }

    fn heap_bytes(&self) -> usize {
        self.0.len()
    }
}

impl Value for bool {
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

    static THINGS: Table = Table { name: "things", columns: &["a", "b"], large: None };

    #[derive(Debug, PartialEq)]
    struct Thing(Option<String>, Option<String>);

    impl Unpack for Thing {
        fn unpack(values: &mut Values<'_>) -> sqlx::Result<Self> {
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

    async fn things(connection: &mut SqliteConnection, pruned_columns: &[Column]) -> sqlx::Result<Vec<Thing>> {
        let sql = |in_parts| {
            format!("{}things t order by t.rowid desc limit 200{SELECT_END}", select(&THINGS, pruned_columns, in_parts))
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

    /// All texts of two letters from these, in both columns: the first column too may be null or empty.
    #[tokio::test]
    async fn any_texts_are_read_as_they_are() {
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
    fn what_is_not_whole_rows_of_text_is_an_error() {
        assert_eq!(unpacked(Some(b"a\xff\xfe\xff")).expect("a row"), [Thing(Some("a".to_owned()), None)]);
        for packed in [&b"a"[..], b"a\xff", b"a\xffb", b"a\xffb\xffc\xff", b"\xc3\xff\xff", b"a\xfe\xffb\xff"] {
            assert!(unpacked(Some(packed)).is_err(), "{packed:?}");
        }
    }
}
