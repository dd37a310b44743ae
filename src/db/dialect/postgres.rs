//! SQL for PostgreSQL.

use serde_json::Value;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Bucket, Dialect, NEVER, search};
use crate::{
    db::query::{Column, SortKind, Table},
    model::{AuditAction, Interval, RawJson, Role, Timestamp, UserId},
};

impl Dialect for Postgres {
    fn push_time(q: &mut QueryBuilder<Self>, at: Timestamp) {
        q.push_bind(at);
    }

    fn push_text(q: &mut QueryBuilder<Self>, text: String) {
        q.push_bind(text);
    }

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

    /// The C collation folds the case of ASCII letters only, like SQLite's LIKE.
    fn push_like(q: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        q.push(format_args!("{column} collate \"C\" ilike ")).push_bind(pattern);
    }

    fn push_matches(q: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        q.push(format_args!("{column} ~ ")).push_bind(pattern);
    }

    fn push_json_contains(q: &mut QueryBuilder<Self>, column: &str, value: &Value) {
        q.push(format_args!("{} @> ", search::jsonb(column))).push_bind(RawJson(value.to_string())).push("::jsonb");
    }

    /// Most intervals have a fixed length, and `date_bin` takes half as long as `date_trunc`. Migration 0007 creates
    /// statistics on the same expressions; without them the planner expects one group for each row, and sorts.
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

    /// A hash aggregate takes a sixth of a microsecond for each entry; an index scan takes a tenth, and six for each group.
    const MIN_ENTRIES_PER_GROUP: i32 = 10;

    fn push_buckets(q: &mut QueryBuilder<Self>, buckets: &[Bucket]) {
        let times = |of: fn(&Bucket) -> Timestamp| buckets.iter().map(of).collect::<Vec<_>>();
        q.push("(select * from unnest(").push_bind(times(|bucket| bucket.start));
        q.push(", ").push_bind(times(|bucket| bucket.first));
        q.push(", ").push_bind(times(|bucket| bucket.last)).push(") as of (start, first, last))");
    }

    /// The planner estimates the number of rows.
    fn without_index(column: &str) -> String {
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

    fn select(table: &Table, pruned: &[Column], _in_parts: bool) -> QueryBuilder<Self> {
        let mut q = QueryBuilder::new("select ");
        for (index, column) in table.selected_columns(pruned).enumerate() {
            q.push(if index > 0 { ", " } else { "" });
            match column {
                Some(column) => q.push("t.").push(column),
                None => q.push("null"),
            };
        }
        q.push(" from ");
        q
    }

    const SELECT_END: &'static str = "";

    fn select_by_user(
        table: &Table,
        pruned: &[Column],
        users: &[UserId],
        in_parts: bool,
        push_page: impl FnOnce(&mut QueryBuilder<Self>, &str),
    ) -> QueryBuilder<Self> {
        let mut q = Self::select(table, pruned, in_parts);
        q.push("unnest(").push_bind(users.to_vec());
        q.push(format_args!(
            ") as parent (id) cross join lateral (select * from {} r where r.user_id = parent.id",
            table.name
        ));
        push_page(&mut q, "r");
        q.push(") t");
        q
    }
}
