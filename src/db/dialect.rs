//! The only place where the two databases need different texts. Each has its reason beside it.

pub mod adoption;
pub(super) mod bulk;
pub(super) mod cancel;
pub(super) mod files;
pub(super) mod packed;
pub(super) mod search;
mod texts;

use serde_json::{Value, json};
use sqlx::{Database, Postgres, QueryBuilder, Sqlite};
use uuid::Uuid;

pub(super) use self::texts::{POSTGRES, SQLITE, Texts};
use super::{
    audit_log_stats::Piece,
    filter::{Column, literal},
    list::{Table, push_where_and_page},
    network::beginning_with,
    page::{Listing, SortKind, SortValue},
};
use crate::{
    error::Error,
    model::{AuditAction, Interval, RawJson, Role, Timestamp, UserId},
};

/// The error of a statement that may break a unique index: PostgreSQL names the index, SQLite table and column.
pub(super) fn taken(cause: sqlx::Error) -> Error {
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
pub(super) fn is_lost_statement(cause: &sqlx::Error) -> bool {
    cause.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "26000")
}

/// What a statement builder needs to know of the database it writes for.
pub(super) trait Dialect: Database + Sized {
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
    fn select(table: &Table, without: &[Column], in_parts: bool) -> QueryBuilder<Self>;

    /// What ends such a statement.
    const SELECT_END: &'static str;

    /// One page for each of several users, see `list::page_of_each`.
    ///
    /// Each database has the shape that is right for it and wrong by orders of magnitude for the other:
    /// PostgreSQL walks the index once for each key of a lateral join; SQLite has no lateral join, but a page is one
    /// value there, which a correlated subquery gives.
    fn page_of_each(table: &Table, users: &[UserId], listing: &Listing, in_parts: bool) -> QueryBuilder<Self>;

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

/// What both databases take alike, each with its own types.
macro_rules! plain_binds {
    () => {
        fn push_time(q: &mut QueryBuilder<Self>, at: Timestamp) {
            q.push_bind(at);
        }

        fn push_text(q: &mut QueryBuilder<Self>, text: String) {
            q.push_bind(text);
        }
    };
}

impl Dialect for Postgres {
    plain_binds!();

    fn push_limit(q: &mut QueryBuilder<Self>, limit: i64) {
        q.push(" limit ").push_bind(limit);
    }

    fn push_id(q: &mut QueryBuilder<Self>, id: Uuid) {
        q.push_bind(id);
    }

    fn push_one_of_ids(q: &mut QueryBuilder<Self>, ids: &[Uuid]) {
        match ids {
            [id] => q.push("= ").push_bind(*id),
            _ => q.push("= any(").push_bind(ids.to_vec()).push(")"),
        };
    }

    fn push_one_of_texts(q: &mut QueryBuilder<Self>, texts: &[String]) {
        match texts {
            [text] => q.push("= ").push_bind(text.clone()),
            _ => q.push("= any(").push_bind(texts.to_vec()).push(")"),
        };
    }

    fn push_one_of_roles(q: &mut QueryBuilder<Self>, roles: &[Role]) {
        match roles {
            [role] => q.push("= ").push_bind(*role),
            _ => q.push("= any(").push_bind(roles.to_vec()).push(")"),
        };
    }

    fn push_one_of_actions(q: &mut QueryBuilder<Self>, actions: &[AuditAction]) {
        match actions {
            [action] => q.push("= ").push_bind(*action),
            _ => q.push("= any(").push_bind(actions.to_vec()).push(")"),
        };
    }

    const ONE_OF_SUBQUERY: [&'static str; 2] = ["= any(array(", "))"];

    /// The C collation knows no letters beyond ASCII, like SQLite's LIKE.
    fn push_like(q: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        q.push(format_args!("{column} collate \"C\" ilike ")).push_bind(pattern);
    }

    fn push_matches(q: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        q.push(format_args!("{column} ~ ")).push_bind(pattern);
    }

    fn push_json_contains(q: &mut QueryBuilder<Self>, column: &str, value: &Value) {
        q.push(format_args!("{} @> ", search::jsonb(column))).push_bind(RawJson(value.to_string())).push("::jsonb");
    }

    /// Most intervals have a fixed length, and `date_bin` takes half as long as `date_trunc`. Migration 0007 has
    /// statistics on the same expressions; without them every row would be taken for an interval of its own, and sorted.
    fn start_of(column: &str, interval: Interval) -> String {
        let length = match interval {
            Interval::Hour => "1 hour",
            Interval::Day => "1 day",
            Interval::Week => "7 days",
            Interval::Month => return format!("date_trunc('month', {column}, 'UTC')"),
        };
        // A Monday.
        format!("date_bin('{length}', {column}, '2000-01-03T00:00:00Z')")
    }

    /// A hash table takes a sixth of a microsecond for an entry, an index a tenth and six for each group.
    const ENTRIES_FOR_A_WALK: i32 = 10;

    fn push_pieces(q: &mut QueryBuilder<Self>, pieces: &[Piece]) {
        let times = |of: fn(&Piece) -> Timestamp| pieces.iter().map(of).collect::<Vec<_>>();
        q.push("(select * from unnest(").push_bind(times(|piece| piece.start));
        q.push(", ").push_bind(times(|piece| piece.first));
        q.push(", ").push_bind(times(|piece| piece.last)).push(") as of (start, first, last))");
    }

    /// The planner knows how many rows it is about.
    fn loose(column: &str) -> String {
        column.to_owned()
    }

    fn sort_expression(column: &str, kind: SortKind) -> String {
        match kind {
            SortKind::Time => column.to_owned(),
            SortKind::OptionalTime => format!("coalesce({column}, {})", Self::never()),
            SortKind::Text => format!("{column} collate \"C\""),
        }
    }

    fn never() -> String {
        format!("'{NEVER}'::timestamptz")
    }

    fn select(table: &Table, without: &[Column], _in_parts: bool) -> QueryBuilder<Self> {
        let mut q = QueryBuilder::new("select ");
        for (at, column) in table.columns_without(without).enumerate() {
            q.push(if at > 0 { ", " } else { "" });
            match column {
                Some(column) => q.push("t.").push(column),
                None => q.push("null"),
            };
        }
        q.push(" from ");
        q
    }

    const SELECT_END: &'static str = "";

    fn page_of_each(table: &Table, users: &[UserId], listing: &Listing, in_parts: bool) -> QueryBuilder<Self> {
        let mut q = Self::select(table, &listing.without, in_parts);
        q.push("unnest(").push_bind(users.to_vec());
        q.push(format_args!(
            ") as parent (id) cross join lateral (select * from {} r where r.user_id = parent.id",
            table.name
        ));
        push_where_and_page(&mut q, "r", listing);
        q.push(") t");
        q
    }
}

impl Dialect for Sqlite {
    plain_binds!();

    /// As part of the text: SQLite's planner looks at the limit's value, so it would prepare the statement again each time.
    fn push_limit(q: &mut QueryBuilder<Self>, limit: i64) {
        q.push(format_args!(" limit {limit}"));
    }

    fn push_id(q: &mut QueryBuilder<Self>, id: Uuid) {
        q.push_bind(id.hyphenated());
    }

    fn push_one_of_ids(q: &mut QueryBuilder<Self>, ids: &[Uuid]) {
        match ids {
            [id] => q.push("= ").push_bind(id.hyphenated()),
            _ => push_in_json(q, json_list(ids)),
        };
    }

    fn push_one_of_texts(q: &mut QueryBuilder<Self>, texts: &[String]) {
        match texts {
            [text] => q.push("= ").push_bind(text.clone()),
            _ => push_in_json(q, Value::from(texts).to_string()),
        };
    }

    fn push_one_of_roles(q: &mut QueryBuilder<Self>, roles: &[Role]) {
        let words: Vec<_> = roles.iter().map(|role| role.as_str().to_owned()).collect();
        Self::push_one_of_texts(q, &words);
    }

    fn push_one_of_actions(q: &mut QueryBuilder<Self>, actions: &[AuditAction]) {
        let words: Vec<_> = actions.iter().map(|action| action.as_str().to_owned()).collect();
        Self::push_one_of_texts(q, &words);
    }

    const ONE_OF_SUBQUERY: [&'static str; 2] = ["in (", ")"];

    fn push_like(q: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        q.push(format_args!("{column} like ")).push_bind(pattern).push(" escape '\\'");
    }

    /// Without letters it is a range of texts, which takes a fraction of the time of LIKE.
    fn push_starts_with(q: &mut QueryBuilder<Self>, column: &str, start: &str) {
        let is_range = |byte: u8| byte.is_ascii() && !byte.is_ascii_alphabetic();
        if start.is_empty() || !start.bytes().all(is_range) {
            return Self::push_like(q, column, format!("{}%", literal(start)));
        }
        let (from, to) = beginning_with(start.to_owned());
        let column = Self::loose(column);
        q.push(format_args!("({column} >= ")).push_bind(from);
        q.push(format_args!(" and {column} < ")).push_bind(to).push(")");
    }

    fn push_matches(q: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        q.push(format_args!("{column} regexp ")).push_bind(pattern);
    }

    fn push_json_contains(q: &mut QueryBuilder<Self>, column: &str, value: &Value) {
        super::json_contains::push(q, column, value);
    }

    /// Times are text of one form in UTC, so most starts are a matter of cutting it.
    fn start_of(column: &str, interval: Interval) -> String {
        match interval {
            Interval::Hour => format!("substr({column}, 1, 13) || ':00:00.000000Z'"),
            Interval::Day => format!("substr({column}, 1, 10) || 'T00:00:00.000000Z'"),
            Interval::Week => format!("date({column}, 'weekday 0', '-6 days') || 'T00:00:00.000000Z'"),
            Interval::Month => format!("substr({column}, 1, 7) || '-01T00:00:00.000000Z'"),
        }
    }

    /// Groups are made by sorting, which takes microseconds for each entry.
    const ENTRIES_FOR_A_WALK: i32 = 1;

    fn push_pieces(q: &mut QueryBuilder<Self>, pieces: &[Piece]) {
        let times = pieces
            .iter()
            .map(|Piece { start, first, last }| json!([start.to_string(), first.to_string(), last.to_string()]));
        q.push("(select value ->> 0 as start, value ->> 1 as first, value ->> 2 as last from json_each(");
        q.push_bind(times.collect::<Value>().to_string()).push("))");
    }

    /// The planner does not know how many rows it is about. To count, it would walk an index of the column once for each
    /// value; a wide range it would read row by row and sort, for minutes, instead of walking an index in the order.
    fn loose(column: &str) -> String {
        format!("+{column}")
    }

    fn sort_expression(column: &str, kind: SortKind) -> String {
        match kind {
            SortKind::Time | SortKind::Text => column.to_owned(),
            SortKind::OptionalTime => format!("coalesce({column}, {})", Self::never()),
        }
    }

    fn never() -> String {
        format!("'{NEVER}'")
    }

    fn select(table: &Table, without: &[Column], in_parts: bool) -> QueryBuilder<Self> {
        QueryBuilder::new(packed::select(table, without, in_parts))
    }

    const SELECT_END: &'static str = packed::SELECT_END;

    fn page_of_each(table: &Table, users: &[UserId], listing: &Listing, in_parts: bool) -> QueryBuilder<Self> {
        let mut q = QueryBuilder::new(if in_parts { "select (" } else { "select group_concat((" });
        q.push(packed::select(table, &listing.without, false));
        q.push(format_args!("{} t where t.user_id = parent.value", table.name));
        push_where_and_page(&mut q, "t", listing);
        q.push(packed::SELECT_END);
        q.push(if in_parts { ")" } else { "), '')" });
        q.push(" from json_each(").push_bind(json_list(users)).push(") parent");
        q
    }
}

fn push_in_json(q: &mut QueryBuilder<Sqlite>, list: String) -> &mut QueryBuilder<Sqlite> {
    q.push("in (select value from json_each(").push_bind(list).push("))")
}

/// A JSON array of hyphenated ids: how SQLite takes a list as one parameter.
fn json_list<Id: Copy + Into<Uuid>>(ids: &[Id]) -> String {
    let mut list = String::with_capacity(2 + ids.len() * 39);
    list.push('[');
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            list.push(',');
        }
        list.push('"');
        list.push_str((*id).into().hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        list.push('"');
    }
    list.push(']');
    list
}
