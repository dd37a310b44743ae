//! The only place where the two databases need different texts. Each has its reason beside it.

use sqlx::{Database, Postgres, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::page::{Page, Position};
use crate::model::UserId;

/// Questions about the database itself.
#[derive(Debug)]
pub(super) struct Texts {
    pub kind: &'static str,
    pub version: &'static str,
    pub tables: &'static str,
    pub indexes: &'static str,
}

pub(super) static POSTGRES: Texts = Texts {
    kind: "PostgreSQL",
    version: "select current_setting('server_version')",
    tables: "
        select tablename::text from pg_tables
        where schemaname = current_schema() and tablename <> '_sqlx_migrations' order by tablename",
    indexes: "
        select indexname::text from pg_indexes
        where schemaname = current_schema() and tablename <> '_sqlx_migrations' order by indexname",
};

pub(super) static SQLITE: Texts = Texts {
    kind: "SQLite",
    version: "select sqlite_version()",
    tables: "
        select name from sqlite_schema
        where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name <> '_sqlx_migrations' order by name",
    indexes: "
        select name from sqlite_schema
        where type = 'index' and tbl_name <> '_sqlx_migrations' order by name",
};

/// A table that is read in pages.
#[derive(Debug)]
pub(super) struct Table {
    pub name: &'static str,
    /// The column list, prefixed by `t.`.
    pub columns: &'static str,
    /// The time column that the list is ordered by, newest first.
    pub order: &'static str,
}

/// What a statement builder needs to know of the database it writes for.
pub(super) trait Dialect: Database + Sized {
    /// A list of ids as the right side of a comparison with a column: `t.id ` + this.
    fn push_among(q: &mut QueryBuilder<Self>, ids: &[Uuid]);

    /// The two values of a position, as a row.
    fn push_position(q: &mut QueryBuilder<Self>, position: &Position);

    /// A count.
    fn push_count(q: &mut QueryBuilder<Self>, count: i64);

    /// One page for each of the users, in one statement. Rows of one user come in reading order.
    ///
    /// Each database has the shape that is right for it and wrong by orders of magnitude for the other:
    /// PostgreSQL walks the index once for each key of a lateral join; SQLite has no lateral join, but finds the
    /// row ids of a page by a correlated subquery over the index.
    fn page_of_each(table: &Table, users: &[UserId], page: &Page) -> QueryBuilder<Self>;
}

impl Dialect for Postgres {
    fn push_among(q: &mut QueryBuilder<Self>, ids: &[Uuid]) {
        q.push("= any(").push_bind(ids.to_vec()).push(")");
    }

    fn push_position(q: &mut QueryBuilder<Self>, position: &Position) {
        q.push("(").push_bind(position.at).push(", ").push_bind(position.id).push(")");
    }

    fn push_count(q: &mut QueryBuilder<Self>, count: i64) {
        q.push_bind(count);
    }

    fn page_of_each(table: &Table, users: &[UserId], page: &Page) -> QueryBuilder<Self> {
        let mut q = QueryBuilder::new(format!("select {} from unnest(", table.columns));
        q.push_bind(users.to_vec());
        q.push(format_args!(
            ") as parent (id) cross join lateral (select * from {} r where r.user_id = parent.id",
            table.name
        ));
        push_page(&mut q, "r", table, page);
        q.push(") t");
        q
    }
}

impl Dialect for Sqlite {
    fn push_among(q: &mut QueryBuilder<Self>, ids: &[Uuid]) {
        q.push("in (select value from json_each(").push_bind(json_list(ids)).push("))");
    }

    fn push_position(q: &mut QueryBuilder<Self>, position: &Position) {
        q.push("(").push_bind(position.at).push(", ").push_bind(position.id).push(")");
    }

    fn push_count(q: &mut QueryBuilder<Self>, count: i64) {
        q.push_bind(count);
    }

    fn page_of_each(table: &Table, users: &[UserId], page: &Page) -> QueryBuilder<Self> {
        let mut q = QueryBuilder::new(format!("select {} from json_each(", table.columns));
        q.push_bind(json_list(users));
        q.push(format_args!(
            ") parent cross join {0} t on t.rowid in (select r.rowid from {0} r where r.user_id = parent.value",
            table.name
        ));
        push_page(&mut q, "r", table, page);
        // A row id list is read in the order of the row ids.
        q.push(format_args!(") order by t.{0} {1}, t.id {1}", table.order, page.direction()));
        q
    }
}

/// The whole list, one page of it.
pub(super) fn page_of_all<DB: Dialect>(table: &Table, page: &Page) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select {} from {} t where true", table.columns, table.name));
    push_page(&mut q, "t", table, page);
    q
}

/// The rows with these ids, in no order.
pub(super) fn by_ids<DB: Dialect>(table: &Table, ids: &[Uuid]) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select {} from {} t where t.id ", table.columns, table.name));
    DB::push_among(&mut q, ids);
    q
}

/// ` and <after the position> order by .. limit ..`
fn push_page<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, table: &Table, page: &Page) {
    let (order, direction) = (table.order, page.direction());
    if let Some(position) = &page.from {
        q.push(format_args!(" and ({row}.{order}, {row}.id) {} ", page.comparison()));
        DB::push_position(q, position);
    }
    q.push(format_args!(" order by {row}.{order} {direction}, {row}.id {direction} limit "));
    DB::push_count(q, page.sql_limit());
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
