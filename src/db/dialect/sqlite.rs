//! What statements look like on SQLite.

use serde_json::{Value, json};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{Dialect, NEVER, json_contains, packed};
use crate::{
    db::{
        audit_log_stats::Piece,
        query::{
            filter::{Column, literal},
            list::{Table, push_where_and_page},
            network::beginning_with,
            page::{ListQuery, SortKind},
        },
    },
    model::{AuditAction, Interval, Role, Timestamp, UserId},
};

impl Dialect for Sqlite {
    fn push_time(q: &mut QueryBuilder<Self>, at: Timestamp) {
        q.push_bind(at);
    }

    fn push_text(q: &mut QueryBuilder<Self>, text: String) {
        q.push_bind(text);
    }

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
        json_contains::push(q, column, value);
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

    fn select(table: &Table, pruned_columns: &[Column], in_parts: bool) -> QueryBuilder<Self> {
        QueryBuilder::new(packed::select(table, pruned_columns, in_parts))
    }

    const SELECT_END: &'static str = packed::SELECT_END;

    fn page_of_each(table: &Table, users: &[UserId], query: &ListQuery, in_parts: bool) -> QueryBuilder<Self> {
        let mut q = QueryBuilder::new(if in_parts { "select (" } else { "select group_concat((" });
        q.push(packed::select(table, &query.pruned_columns, false));
        q.push(format_args!("{} t where t.user_id = parent.value", table.name));
        push_where_and_page(&mut q, "t", query);
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
