//! The `audit_logs` table: what happened, written once and never changed.

use std::collections::HashMap;

use sqlx::{query, query_scalar};
use uuid::Uuid;

use super::{
    Db, Tx,
    codec::row,
    query::{
        filter::{Filter, generic_plan_is_safe},
        list::{self, Table},
        page::{ListQuery, Page, pages_by_parent},
        rows::ReadRows,
    },
    run,
};
use crate::{
    error::Result,
    model::{AuditAction, AuditLog, AuditLogId, Timestamp, UserId},
};

row!("audit_logs" as AuditLog, COLUMNS:
    id, user_id, username, action, details, description, ip_address, user_agent, success, timestamp);

static TABLE: Table = Table { name: "audit_logs", columns: COLUMNS, large: Some(columns::DETAILS) };

/// What audit logs can be filtered by.
pub mod columns {
    use crate::db::query::filter::Column;

    pub const ID: Column = Column("id");
    pub const USER: Column = Column("user_id");
    pub const USERNAME: Column = Column("username");
    pub const ACTION: Column = Column("action");
    pub const DETAILS: Column = Column("details");
    pub const DESCRIPTION: Column = Column("description");
    pub const IP_ADDRESS: Column = Column("ip_address");
    pub const USER_AGENT: Column = Column("user_agent");
    pub const SUCCESS: Column = Column("success");
    pub const TIMESTAMP: Column = Column("timestamp");
}

/// What audit logs can be ordered by.
pub mod orders {
    use crate::db::query::page::{SortColumn, SortKind};

    pub const TIMESTAMP: SortColumn = SortColumn { name: "timestamp", kind: SortKind::Time };
}

/// One page of the whole log, in its order.
pub async fn list(db: &Db, query: &ListQuery) -> Result<Page<AuditLog>> {
    let rows = run!(db, connection, persistent = generic_plan_is_safe(query.filter.as_ref()) => connection
        .rows(db.meter(), list::page_of_all(&TABLE, query), persistent)
        .await)?;
    Ok(Page::cut(rows, &query.page))
}

/// One page of entries for each of the users; who has none is left out.
pub async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<AuditLog>>> {
    let rows = run!(db, connection, persistent = generic_plan_is_safe(query.filter.as_ref()) => connection
        .rows(db.meter(), list::page_of_each(&TABLE, users, query), persistent)
        .await)?;
    Ok(pages_by_parent(rows, &query.page, |row: &AuditLog| row.user_id))
}

/// How many entries pass the filter.
pub async fn count(db: &Db, filter: Option<&Filter>) -> Result<i64> {
    run!(db, connection, persistent = generic_plan_is_safe(filter) => list::count_of_all(&TABLE, filter)
        .build_query_scalar()
        .persistent(persistent)
        .fetch_one(connection)
        .await)
}

/// How many entries of each of the users pass the filter; who has none is left out.
pub async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
    let counts = run!(db, connection, persistent = generic_plan_is_safe(filter) => list::count_of_each(&TABLE, users, filter)
        .build_query_as::<(UserId, i64)>()
        .persistent(persistent)
        .fetch_all(connection)
        .await)?;
    Ok(counts.into_iter().collect())
}

/// The entries with these ids, in no order; unknown ids are left out.
pub async fn by_ids(db: &Db, ids: &[Uuid]) -> Result<Vec<AuditLog>> {
    run!(db, connection => connection.rows(db.meter(), list::by_ids(&TABLE, ids), true).await)
}

const INSERT: &str = "
    insert into audit_logs (id, user_id, username, action, details, description, ip_address, user_agent, success, timestamp)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (id) do nothing";

/// Writes an entry; `false` when the id is taken.
pub async fn insert(tx: &mut Tx, entry: &AuditLog) -> Result<bool> {
    tracing::trace!(target: "request_path", "insert");
    let done = run!(tx, connection => query(INSERT)
        .bind(entry.id)
        .bind(entry.user_id)
        .bind(&entry.username)
        .bind(entry.action)
        .bind(&entry.details)
        .bind(&entry.description)
        .bind(&entry.ip_address)
        .bind(&entry.user_agent)
        .bind(entry.success)
        .bind(entry.timestamp)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

/// Writes the user's name into the entries that only have the id: before the user is deleted.
pub async fn keep_username(tx: &mut Tx, user: UserId, username: &str) -> Result<u64> {
    run!(tx, connection => query("update audit_logs set username = $2 where user_id = $1 and username is null")
        .bind(user)
        .bind(username)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

const FAILURES_SINCE: &str = "
    select timestamp from audit_logs
    where user_id = $1 and action = $2 and success = false and timestamp > $3
    order by timestamp desc, id desc limit $4";

/// When the user failed at something since a time, the newest first; at most so many.
pub async fn failures_since(
    tx: &mut Tx,
    user: UserId,
    action: AuditAction,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Timestamp>> {
    run!(tx, connection => query_scalar(FAILURES_SINCE)
        .bind(user)
        .bind(action)
        .bind(since)
        .bind(most)
        .fetch_all(connection)
        .await)
}

/// Removes an entry: only for rows that a self-test wrote itself.
pub async fn delete(tx: &mut Tx, id: AuditLogId) -> Result<bool> {
    let done = run!(tx, connection => query("delete from audit_logs where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
