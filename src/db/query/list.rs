//! The statements that every listed table has, built for either database.

use sqlx::{Database, QueryBuilder};
use uuid::Uuid;

use super::{
    filter::{Column, Filter, push_filter},
    page::ListQuery,
};
use crate::{db::dialect::Dialect, model::UserId};

/// A table that is read in pages.
#[derive(Debug)]
pub(in crate::db) struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
    /// The column whose values may be large, if there is one.
    pub large: Option<Column>,
}

/// A statement that reads rows of a table.
pub(in crate::db) struct Select<DB: Database> {
    pub query: QueryBuilder<DB>,
    /// Whether SQLite hands the rows over in several parts, so that reading can stop before all of them are in memory. It
    /// takes longer, so it is for many large rows.
    pub in_parts: bool,
}

impl Table {
    /// The columns in their order, with nothing for those that are not wanted.
    pub fn columns_without(&self, pruned_columns: &[Column]) -> impl Iterator<Item = Option<&'static str>> {
        self.columns.iter().map(|column| (!pruned_columns.contains(&Column(column))).then_some(*column))
    }

    /// Whether the rows may be large, without these columns.
    fn has_large_rows(&self, pruned_columns: &[Column]) -> bool {
        self.large.is_some_and(|large| !pruned_columns.contains(&large))
    }
}

/// One page of all rows.
pub(in crate::db) fn page_of_all<DB: Dialect>(table: &Table, query: &ListQuery) -> Select<DB> {
    let mut q = DB::select(table, &query.pruned_columns, false);
    q.push(format_args!("{} t where true", table.name));
    push_where_and_page(&mut q, "t", query);
    q.push(DB::SELECT_END);
    Select { query: q, in_parts: false }
}

/// One page for each of the users, in one statement. Rows of one user come in reading order.
pub(in crate::db) fn page_of_each<DB: Dialect>(table: &Table, users: &[UserId], query: &ListQuery) -> Select<DB> {
    let [user] = users else {
        let in_parts = table.has_large_rows(&query.pruned_columns);
        return Select { query: DB::page_of_each(table, users, query, in_parts), in_parts };
    };
    // A list of users to join with takes PostgreSQL a third as long again.
    let mut q = DB::select(table, &query.pruned_columns, false);
    q.push(format_args!("{} t where t.user_id = ", table.name));
    DB::push_id(&mut q, (*user).into());
    push_where_and_page(&mut q, "t", query);
    q.push(DB::SELECT_END);
    Select { query: q, in_parts: false }
}

/// The rows with these ids, in no order.
pub(in crate::db) fn by_ids<DB: Dialect>(table: &Table, ids: &[Uuid]) -> Select<DB> {
    by_ids_of(table, ids, None)
}

/// The same, only those of this user if one is given.
pub(in crate::db) fn by_ids_of<DB: Dialect>(table: &Table, ids: &[Uuid], owner: Option<UserId>) -> Select<DB> {
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

/// How many rows there are.
pub(in crate::db) fn count_of_all<DB: Dialect>(table: &Table, filter: Option<&Filter>) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select count(*) from {} t where true", table.name));
    push_where(&mut q, "t", filter);
    q
}

/// How many rows each of the users has; who has none is left out.
pub(in crate::db) fn count_of_each<DB: Dialect>(
    table: &Table,
    users: &[UserId],
    filter: Option<&Filter>,
) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select t.user_id, count(*) from {} t where t.user_id ", table.name));
    let users: Vec<Uuid> = users.iter().map(|user| (*user).into()).collect();
    DB::push_one_of_ids(&mut q, &users);
    push_where(&mut q, "t", filter);
    q.push(" group by t.user_id");
    q
}

/// ` and <filter> and <beyond the position> order by .. limit ..`
pub(in crate::db) fn push_where_and_page<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, query: &ListQuery) {
    push_where(q, row, query.filter.as_ref());
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

fn push_where<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, filter: Option<&Filter>) {
    if let Some(filter) = filter {
        q.push(" and ");
        push_filter(q, row, filter);
    }
}
