//! Reads listed tables: one page, a page for each user, counts, and rows by their ids. The type of the rows determines the
//! table.

use std::collections::HashMap;

use sqlx::{FromRow, postgres::PgRow};
use uuid::Uuid;

use super::{
    Db,
    dialect::Unpack,
    query::{Column, Filter, ListQuery, Page, Table, generic_plan_is_safe, rows::ReadRows, select},
    row::TableRow,
    run,
};
use crate::{error::Result, model::UserId};

/// A row of a table that is listed in pages.
pub trait ListedRow: TableRow + for<'r> FromRow<'r, PgRow> + Unpack + Send + Sync + Unpin + 'static {
    /// The column whose values may be large, if there is one.
    const LARGE_COLUMN: Option<Column> = None;

    /// The row's id.
    fn id(&self) -> Uuid;
}

/// A row that belongs to a user.
pub trait UserRow: ListedRow {
    /// The user that the row belongs to.
    fn user_id(&self) -> Option<UserId>;
}

const fn table<T: ListedRow>() -> Table {
    Table { name: T::TABLE, columns: T::COLUMNS, large_column: T::LARGE_COLUMN }
}

/// One page of all rows, in its order.
pub async fn page<T: ListedRow>(db: &Db, query: &ListQuery) -> Result<Page<T>> {
    tracing::trace!(target: "request_path", "list");
    let rows = run!(db, connection, persistent = generic_plan_is_safe(query.filter.as_ref()) => connection
        .rows(db.meter(), select::page(&table::<T>(), query), persistent)
        .await)?;
    Ok(Page::cut(rows, &query.page))
}

/// One page of rows for each of the users; users without rows are omitted.
pub async fn pages_by_user<T: UserRow>(
    db: &Db,
    users: &[UserId],
    query: &ListQuery,
) -> Result<HashMap<UserId, Page<T>>> {
    tracing::trace!(target: "request_path", "read");
    let rows: Vec<T> = run!(db, connection, persistent = generic_plan_is_safe(query.filter.as_ref()) => connection
        .rows(db.meter(), select::pages_by_user(&table::<T>(), users, query), persistent)
        .await)?;
    let mut by_user: HashMap<UserId, Vec<T>> = HashMap::new();
    for row in rows {
        if let Some(user) = row.user_id() {
            by_user.entry(user).or_default().push(row);
        }
    }
    Ok(by_user.into_iter().map(|(user, rows)| (user, Page::cut(rows, &query.page))).collect())
}

/// The number of rows that pass the filter.
pub async fn count<T: ListedRow>(db: &Db, filter: Option<&Filter>) -> Result<i64> {
    run!(db, connection, persistent = generic_plan_is_safe(filter) => select::count(&table::<T>(), filter)
        .build_query_scalar()
        .persistent(persistent)
        .fetch_one(connection)
        .await)
}

/// The number of rows of each of the users that pass the filter; users without rows are omitted.
pub async fn counts_by_user<T: UserRow>(
    db: &Db,
    users: &[UserId],
    filter: Option<&Filter>,
) -> Result<HashMap<UserId, i64>> {
    let counts = run!(db, connection, persistent = generic_plan_is_safe(filter) =>
        select::counts_by_user(&table::<T>(), users, filter)
            .build_query_as::<(UserId, i64)>()
            .persistent(persistent)
            .fetch_all(connection)
            .await)?;
    Ok(counts.into_iter().collect())
}

/// The rows with these ids, in no order; unknown ids are omitted.
pub async fn by_ids<T: ListedRow>(db: &Db, ids: &[Uuid]) -> Result<Vec<T>> {
    run!(db, connection => connection.rows(db.meter(), select::by_ids(&table::<T>(), ids, None), true).await)
}

/// The rows with these ids, in no order, only those of the owner if one is given; unknown ids are omitted.
pub async fn by_ids_and_owner<T: UserRow>(db: &Db, ids: &[Uuid], owner: Option<UserId>) -> Result<Vec<T>> {
    run!(db, connection => connection.rows(db.meter(), select::by_ids(&table::<T>(), ids, owner), true).await)
}
