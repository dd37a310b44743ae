//! SQL for SQLite.

use serde_json::{Value, json};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{Bucket, Dialect, NEVER, json_contains, like_literal, packed};
use crate::{
    db::query::{Column, SortKind, Table, prefix_range},
    model::{AuditAction, Interval, Role, Timestamp, UserId},
};

impl Dialect for Sqlite {
    fn push_time(q: &mut QueryBuilder<Self>, at: Timestamp) {
        q.push_bind(at);
    }

    fn push_text(q: &mut QueryBuilder<Self>, text: String) {
        q.push_bind(text);
    }

    /// As a literal: SQLite's planner reads the value of the limit, so a parameter would prepare the statement again each
    /// time.
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

    /// Without letters it is a range of texts, which is much faster than LIKE.
    fn push_starts_with(q: &mut QueryBuilder<Self>, column: &str, start: &str) {
        let is_range = |byte: u8| byte.is_ascii() && !byte.is_ascii_alphabetic();
        if start.is_empty() || !start.bytes().all(is_range) {
            return Self::push_like(q, column, format!("{}%", like_literal(start)));
        }
        let (from, to) = prefix_range(start.to_owned());
        let column = Self::without_index(column);
        q.push(format_args!("({column} >= ")).push_bind(from);
        q.push(format_args!(" and {column} < ")).push_bind(to).push(")");
    }

    fn push_matches(q: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        q.push(format_args!("{column} regexp ")).push_bind(pattern);
    }

    fn push_json_contains(q: &mut QueryBuilder<Self>, column: &str, value: &Value) {
        json_contains::push(q, column, value);
    }

    /// Times are texts of one format in UTC, so most starts are prefixes.
    fn start_of(column: &str, interval: Interval) -> String {
        match interval {
            Interval::Hour => format!("substr({column}, 1, 13) || ':00:00.000000Z'"),
            Interval::Day => format!("substr({column}, 1, 10) || 'T00:00:00.000000Z'"),
            Interval::Week => format!("date({column}, 'weekday 0', '-6 days') || 'T00:00:00.000000Z'"),
            Interval::Month => format!("substr({column}, 1, 7) || '-01T00:00:00.000000Z'"),
        }
    }

    /// SQLite groups by sorting, which takes microseconds for each entry.
    const MIN_ENTRIES_PER_GROUP: i32 = 1;

    fn push_buckets(q: &mut QueryBuilder<Self>, buckets: &[Bucket]) {
        let times = buckets
            .iter()
            .map(|Bucket { start, first, last }| json!([start.to_string(), first.to_string(), last.to_string()]));
        q.push("(select value ->> 0 as start, value ->> 1 as first, value ->> 2 as last from json_each(");
        q.push_bind(times.collect::<Value>().to_string()).push("))");
    }

    /// The planner has no estimate of the number of rows. To count, it would scan an index of the column once for each value;
    /// it would read and sort a wide range, for minutes, instead of scanning an index in the order of the rows.
    fn without_index(column: &str) -> String {
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

    fn select(table: &Table, pruned: &[Column], in_parts: bool) -> QueryBuilder<Self> {
        QueryBuilder::new(packed::select(table, pruned, in_parts))
    }

    const SELECT_END: &'static str = packed::SELECT_END;

    fn select_by_user(
        table: &Table,
        pruned: &[Column],
        users: &[UserId],
        in_parts: bool,
        push_page: impl FnOnce(&mut QueryBuilder<Self>, &str),
    ) -> QueryBuilder<Self> {
        let mut q = QueryBuilder::new(if in_parts { "select (" } else { "select group_concat((" });
        q.push(packed::select(table, pruned, false));
        q.push(format_args!("{} t where t.user_id = parent.value", table.name));
        push_page(&mut q, "t");
        q.push(packed::SELECT_END);
        q.push(if in_parts { ")" } else { "), '')" });
        q.push(" from json_each(").push_bind(json_list(users)).push(") parent");
        q
    }
}

fn push_in_json(q: &mut QueryBuilder<Sqlite>, list: String) -> &mut QueryBuilder<Sqlite> {
    q.push("in (select value from json_each(").push_bind(list).push("))")
}

/// A JSON array of hyphenated ids: a list as one parameter.
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
