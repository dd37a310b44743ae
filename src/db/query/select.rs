//! The statements that every listed table has, built for either database.

use sqlx::{Database, QueryBuilder};
use uuid::Uuid;

use super::{Filter, ListQuery, Table, sql_filter::push_and_filter};
use crate::{db::dialect::Dialect, model::UserId};

/// A statement that reads rows of a table.
pub(in crate::db) struct Select<DB: Database> {
    pub query: QueryBuilder<DB>,
    /// True if SQLite returns the rows as several values, so that reading can stop before all rows are in memory. It is
    /// slower, so it is for many large rows only.
    pub in_parts: bool,
}

/// One page of all rows.
pub(in crate::db) fn page<DB: Dialect>(table: &Table, query: &ListQuery) -> Select<DB> {
    let mut q = DB::select(table, &query.pruned_columns, false);
    q.push(format_args!("{} t where true", table.name));
    push_page(&mut q, "t", query);
    q.push(DB::SELECT_END);
    Select { query: q, in_parts: false }
}

/// One page for each of the users, in one statement. The rows of one user come in reading order.
pub(in crate::db) fn pages_by_user<DB: Dialect>(table: &Table, users: &[UserId], query: &ListQuery) -> Select<DB> {
    let [user] = users else {
        let in_parts = table.has_large_rows(&query.pruned_columns);
        let push_page = |q: &mut QueryBuilder<DB>, row: &str| push_page(q, row, query);
        return Select {
            query: DB::select_by_user(table, &query.pruned_columns, users, in_parts, push_page),
            in_parts,
        };
    };
    // For one user, PostgreSQL is a third faster without a join.
    let mut q = DB::select(table, &query.pruned_columns, false);
    q.push(format_args!("{} t where t.user_id = ", table.name));
    DB::push_id(&mut q, (*user).into());
    push_page(&mut q, "t", query);
    q.push(DB::SELECT_END);
    Select { query: q, in_parts: false }
}

/// The rows with these ids, in no order; only those of the owner if one is given.
pub(in crate::db) fn by_ids<DB: Dialect>(table: &Table, ids: &[Uuid], owner: Option<UserId>) -> Select<DB> {
    let in_parts = ids.len() > 1 && table.has_large_rows(&[]);
    let mut q = DB::select(table, &[], in_parts);
    q.push(format_args!("{} t where t.id ", table.name));
    DB::push_one_of_ids(&mut q, ids);
    if let Some(owner) = owner {
        q.push(" and t.user_id = ");
        DB::push_id(&mut q, owner.into());
    }
    q.push(DB::SELECT_END);
    Select { query: q, in_parts }
}

/// The number of rows.
pub(in crate::db) fn count<DB: Dialect>(table: &Table, filter: Option<&Filter>) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select count(*) from {} t where true", table.name));
    push_and_filter(&mut q, "t", filter);
    q
}

/// The number of rows of each user; users without rows are omitted.
pub(in crate::db) fn counts_by_user<DB: Dialect>(
    table: &Table,
    users: &[UserId],
    filter: Option<&Filter>,
) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select t.user_id, count(*) from {} t where t.user_id ", table.name));
    let users: Vec<Uuid> = users.iter().map(|user| (*user).into()).collect();
    DB::push_one_of_ids(&mut q, &users);
    push_and_filter(&mut q, "t", filter);
    q.push(" group by t.user_id");
    q
}

/// ` and <filter> and <sort key beyond the position> order by .. limit ..`
fn push_page<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, query: &ListQuery) {
    push_and_filter(q, row, query.filter.as_ref());
    let page = &query.page;
    let column = page.order.column;
    let expression = DB::sort_expression(&format!("{row}.{}", column.name), column.kind);
    if let Some(position) = &page.from {
        q.push(format_args!(" and ({expression}, {row}.id) {} (", page.comparison()));
        DB::push_sort_value(q, &position.value);
        q.push(", ");
        DB::push_id(q, position.id.into());
        q.push(")");
    }
    q.push(format_args!(" order by {expression} {0}, {row}.id {0}", page.direction()));
    DB::push_limit(q, page.sql_limit());
}
