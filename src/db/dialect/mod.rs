//! The only place where the two databases need different texts. Each has its reason beside it.

pub mod adoption;
pub(in crate::db) mod bulk;
pub(in crate::db) mod files;
mod json_contains;
pub(in crate::db) mod packed;
mod postgres;
pub(in crate::db) mod search;
mod sqlite;
mod texts;

use serde_json::Value;
use sqlx::{Database, QueryBuilder};
use uuid::Uuid;

pub(in crate::db) use self::texts::{POSTGRES, SQLITE, Texts};
use super::{
    audit_log_stats::Piece,
    query::{
        filter::{Column, literal},
        list::Table,
        page::{ListQuery, SortKind, SortValue},
    },
};
use crate::{
    error::Error,
    model::{AuditAction, Interval, Role, Timestamp, UserId},
};

/// The error of a statement that may break a unique index: PostgreSQL names the index, SQLite table and column.
pub(in crate::db) fn taken(cause: sqlx::Error) -> Error {
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

/// An absent time in an order: before all times, and written as in the expression index that holds it.
const NEVER: &str = "0001-01-01T00:00:00.000000Z";

/// Whether a statement that was not kept prepared was gone before it ran (PostgreSQL's `invalid_sql_statement_name`).
pub(in crate::db) fn is_lost_statement(cause: &sqlx::Error) -> bool {
    cause.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "26000")
}

/// What a statement builder needs to know of the database it writes for.
pub(in crate::db) trait Dialect: Database + Sized {
    /// ` limit ..`
    fn push_limit(q: &mut QueryBuilder<Self>, limit: i64);
    fn push_time(q: &mut QueryBuilder<Self>, at: Timestamp);
    fn push_id(q: &mut QueryBuilder<Self>, id: Uuid);
    fn push_text(q: &mut QueryBuilder<Self>, text: String);

    /// `= ..`, or that the column is one of several. One value is compared by `=`: only then does an index on the
    /// column and an order keep its order.
    fn push_one_of_ids(q: &mut QueryBuilder<Self>, ids: &[Uuid]);
    fn push_one_of_texts(q: &mut QueryBuilder<Self>, texts: &[String]);
    fn push_one_of_roles(q: &mut QueryBuilder<Self>, roles: &[Role]);
    fn push_one_of_actions(q: &mut QueryBuilder<Self>, actions: &[AuditAction]);

    /// What goes before and after a subquery whose values the column is one of, so that below `or` too its index is used.
    const ONE_OF_SUBQUERY: [&'static str; 2];

    /// That the column matches a LIKE pattern in which a backslash escapes, ASCII letters without regard to case.
    fn push_like(q: &mut QueryBuilder<Self>, column: &str, pattern: String);

    /// That the column begins with the text, ASCII letters without regard to case.
    fn push_starts_with(q: &mut QueryBuilder<Self>, column: &str, start: &str) {
        Self::push_like(q, column, format!("{}%", literal(start)));
    }

    /// That the column matches a regular expression.
    fn push_matches(q: &mut QueryBuilder<Self>, column: &str, pattern: String);

    /// That the column's JSON holds the value, by the rules of PostgreSQL's `jsonb @>`.
    fn push_json_contains(q: &mut QueryBuilder<Self>, column: &str, value: &Value);

    /// The start of the interval, in UTC, in which the time in the column lies.
    fn start_of(column: &str, interval: Interval) -> String;

    /// A column to count by, or to compare with a range, where an index that begins with it may be no help.
    fn loose(column: &str) -> String;

    /// From how many entries for each group it takes less time to walk an index for each group than to put each entry into
    /// its group, roughly.
    const ENTRIES_FOR_A_WALK: i32;

    /// Pieces of time as something to select from, with the columns `start`, `first` and `last`.
    fn push_pieces(q: &mut QueryBuilder<Self>, pieces: &[Piece]);

    /// The expression that a column is ordered by.
    fn sort_expression(column: &str, kind: SortKind) -> String;

    /// The beginning of a statement that reads rows of a table `t`, up to its `from`; `rows` reads what it gives, in one
    /// part or in several.
    fn select(table: &Table, pruned_columns: &[Column], in_parts: bool) -> QueryBuilder<Self>;

    /// What ends such a statement.
    const SELECT_END: &'static str;

    /// One page for each of several users, see `list::page_of_each`.
    ///
    /// Each database has the shape that is right for it and wrong by orders of magnitude for the other:
    /// PostgreSQL walks the index once for each key of a lateral join; SQLite has no lateral join, but a page is one
    /// value there, which a correlated subquery gives.
    fn page_of_each(table: &Table, users: &[UserId], query: &ListQuery, in_parts: bool) -> QueryBuilder<Self>;

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
