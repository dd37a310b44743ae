//! Everything that differs between the two databases, each difference with its reason.

pub(in crate::db) mod adoption;
pub(in crate::db) mod bulk;
pub(in crate::db) mod files;
mod json_contains;
mod packed;
mod postgres;
pub(in crate::db) mod search;
mod sqlite;
mod texts;

use serde_json::Value;
use sqlx::{Database, QueryBuilder};
use uuid::Uuid;

pub(in crate::db) use self::{
    packed::{PackedValue, PackedValues, Unpack, unpack},
    texts::{POSTGRES, SQLITE, Texts},
};
use super::query::{Column, SortKind, SortValue, Table};
use crate::{
    error::Error,
    model::{AuditAction, Interval, Role, Timestamp, UserId},
};

/// The error of a statement that may violate a unique index. PostgreSQL names the index, SQLite the table and column.
pub(in crate::db) fn unique_violation(cause: sqlx::Error) -> Error {
    let text = match cause.as_database_error() {
        Some(cause) if cause.is_unique_violation() => cause.constraint().unwrap_or(cause.message()),
        _ => return cause.into(),
    };
    match text {
        "ix_users_username" | "UNIQUE constraint failed: users.username" => {
            Error::conflict("username", "another user has this user name")
        }
        "ix_users_email" | "UNIQUE constraint failed: users.email" => {
            Error::conflict("email", "another user has this e-mail address")
        }
        _ => cause.into(),
    }
}

/// The sort key of a null time: before every time, and written as in the expression index.
const NEVER: &str = "0001-01-01T00:00:00.000000Z";

/// Returns true if a statement that is not persistent was closed before it ran (PostgreSQL's
/// `invalid_sql_statement_name`).
pub(in crate::db) fn is_lost_statement(cause: &sqlx::Error) -> bool {
    cause.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "26000")
}

/// A period of time in which entries are counted.
#[derive(Clone, Copy, Debug)]
pub(in crate::db) struct Bucket {
    /// The start of the interval that the bucket is a part of.
    pub start: Timestamp,
    /// The first and the last moment of the bucket.
    pub first: Timestamp,
    pub last: Timestamp,
}

/// How SQL is written for one of the databases.
pub(in crate::db) trait Dialect: Database + Sized {
    /// ` limit ..`
    fn push_limit(q: &mut QueryBuilder<Self>, limit: i64);
    fn push_time(q: &mut QueryBuilder<Self>, at: Timestamp);
    fn push_id(q: &mut QueryBuilder<Self>, id: Uuid);
    fn push_text(q: &mut QueryBuilder<Self>, text: String);

    /// `= ..`, or a condition that the value is one of several. A single value is compared by `=`, because only then an index
    /// on the column and a sort key returns rows in order.
    fn push_one_of_ids(q: &mut QueryBuilder<Self>, ids: &[Uuid]);
    fn push_one_of_texts(q: &mut QueryBuilder<Self>, texts: &[String]);
    fn push_one_of_roles(q: &mut QueryBuilder<Self>, roles: &[Role]);
    fn push_one_of_actions(q: &mut QueryBuilder<Self>, actions: &[AuditAction]);

    /// The text before and after a subquery that the value is one of, so that an index is used below `or` too.
    const ONE_OF_SUBQUERY: [&'static str; 2];

    /// The column matches a LIKE pattern with backslash escapes, ASCII letters case-insensitively.
    fn push_like(q: &mut QueryBuilder<Self>, column: &str, pattern: String);

    /// The column starts with the text, ASCII letters case-insensitively.
    fn push_starts_with(q: &mut QueryBuilder<Self>, column: &str, start: &str) {
        Self::push_like(q, column, format!("{}%", like_literal(start)));
    }

    /// The column matches a regular expression.
    fn push_matches(q: &mut QueryBuilder<Self>, column: &str, pattern: String);

    /// The column's JSON contains the value, as PostgreSQL's `jsonb @>` defines it.
    fn push_json_contains(q: &mut QueryBuilder<Self>, column: &str, value: &Value);

    /// The start of the interval, in UTC, that contains the time in the column.
    fn start_of(column: &str, interval: Interval) -> String;

    /// The column as an expression for which the planner uses no index, where it would choose an index to group by the
    /// column or to compare it with a range although a scan is faster.
    fn without_index(column: &str) -> String;

    /// The number of entries for each group from which a loose index scan is faster than a hash or sort of all entries,
    /// roughly.
    const MIN_ENTRIES_PER_GROUP: i32;

    /// The buckets as a table with the columns `start`, `first` and `last`.
    fn push_buckets(q: &mut QueryBuilder<Self>, buckets: &[Bucket]);

    /// The sort key of a column.
    fn sort_expression(column: &str, kind: SortKind) -> String;

    /// The start of a statement that reads rows of a table `t`, up to and including its `from`. `query::rows` reads the rows
    /// of the statement, as one value or in parts.
    fn select(table: &Table, pruned: &[Column], in_parts: bool) -> QueryBuilder<Self>;

    /// The end of such a statement.
    const SELECT_END: &'static str;

    /// Rows for each of several users. `push_page` appends ` and <condition> order by .. limit ..` for the row of that name.
    ///
    /// The two forms are fast on their own database and slower by orders of magnitude on the other: PostgreSQL scans the
    /// index once for each key of a lateral join. SQLite has no lateral join, but a page is one value there, which a
    /// correlated subquery returns.
    fn select_by_user(
        table: &Table,
        pruned: &[Column],
        users: &[UserId],
        in_parts: bool,
        push_page: impl FnOnce(&mut QueryBuilder<Self>, &str),
    ) -> QueryBuilder<Self>;

    fn push_sort_value(q: &mut QueryBuilder<Self>, value: &SortValue) {
        match value {
            SortValue::Time(Some(at)) => Self::push_time(q, *at),
            SortValue::Time(None) => {
                q.push(Self::never());
            }
            SortValue::Text(text) => Self::push_text(q, text.clone()),
        }
    }

    /// [`NEVER`] as a literal.
    fn never() -> String;
}

/// A LIKE pattern that matches exactly this text.
pub(in crate::db) fn like_literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
