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
    db::{filter::Column, list::Table},
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
pub(in crate::db) fn select(table: &Table, without: &[Column]) -> String {
    let mut sql = String::with_capacity(96 + 32 * table.columns.len());
    sql.push_str("select group_concat(packed, '') from (select concat_ws(x'ff'");
    for column in table.columns_without(without) {
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

/// The rows that such a query gave: a null when there are none.
pub(in crate::db) fn unpack<T: Unpack>(packed: Option<&[u8]>) -> sqlx::Result<Vec<T>> {
    let mut values = Values(packed.unwrap_or_default());
    let mut rows = Vec::new();
    while !values.0.is_empty() {
        rows.push(T::unpack(&mut values)?);
    }
    Ok(rows)
}

/// What a column can hold.
pub(in crate::db) trait Value: Sized {
    /// From SQLite's text of it, which is absent for null.
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError>;
}

impl<T: Value> Value for Option<T> {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        text.map(|text| T::from_text(Some(text))).transpose()
    }
}

impl Value for String {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        Ok(text.ok_or(UnexpectedNullError)?.to_owned())
    }
}

impl Value for RawJson {
    fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
        String::from_text(text).map(Self)
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

    static THINGS: Table = Table { name: "things", columns: &["a", "b"] };

    #[derive(Debug, PartialEq)]
    struct Thing(Option<String>, Option<String>);

    impl Unpack for Thing {
        fn unpack(values: &mut Values<'_>) -> sqlx::Result<Self> {
            Ok(Self(values.next()?, values.next()?))
        }
    }

    async fn things(connection: &mut SqliteConnection, without: &[Column]) -> sqlx::Result<Vec<Thing>> {
        let sql = format!("{}things t order by t.rowid desc limit 200{SELECT_END}", select(&THINGS, without));
        let row = query(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await?;
        unpack(row.try_get_unchecked(0)?)
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
        assert_eq!(unpack::<Thing>(Some(b"a\xff\xfe\xff")).expect("a row"), [Thing(Some("a".to_owned()), None)]);
        for packed in [&b"a"[..], b"a\xff", b"a\xffb", b"a\xffb\xffc\xff", b"\xc3\xff\xff", b"a\xfe\xffb\xff"] {
            assert!(unpack::<Thing>(Some(packed)).is_err(), "{packed:?}");
        }
    }
}
