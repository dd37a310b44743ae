//! The `audit_logs` table: what happened, written once and never changed.

use std::collections::HashMap;

use sqlx::query;
use uuid::Uuid;

use super::{
    Db, Tx,
    codec::row,
    dialect::{self, Dialect, Table},
    on, on_tx,
    page::{Page, Slice, slices_by},
};
use crate::{
    error::Result,
    model::{AuditLog, AuditLogId, UserId},
};

row!("audit_logs" as AuditLog, COLUMNS:
    id, user_id, action, details, description, ip_address, user_agent, success, timestamp);

static TABLE: Table = Table { name: "audit_logs", columns: COLUMNS, order: "timestamp" };

/// One page of the whole log, newest first.
pub async fn list(db: &Db, page: &Page) -> Result<Slice<AuditLog>> {
    let rows = on!(db, pool => dialect::page_of_all(&TABLE, page).build_query_as().fetch_all(pool).await)?;
    Ok(Slice::cut(rows, page))
}

/// One page of entries for each of the users; who has none is left out.
pub async fn pages_of(db: &Db, users: &[UserId], page: &Page) -> Result<HashMap<UserId, Slice<AuditLog>>> {
    let rows = on!(db, pool => Dialect::page_of_each(&TABLE, users, page).build_query_as().fetch_all(pool).await)?;
    Ok(slices_by(rows, page, |row: &AuditLog| row.user_id))
}

/// The entries with these ids, in no order; unknown ids are left out.
pub async fn list_of(db: &Db, ids: &[Uuid]) -> Result<Vec<AuditLog>> {
    on!(db, pool => dialect::by_ids(&TABLE, ids).build_query_as().fetch_all(pool).await)
}

const INSERT: &str = "
    insert into audit_logs (id, user_id, action, details, description, ip_address, user_agent, success, timestamp)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (id) do nothing";

/// Writes an entry; `false` when the id is taken.
pub async fn insert(tx: &mut Tx, entry: &AuditLog) -> Result<bool> {
    let done = on_tx!(tx, connection => query(INSERT)
        .bind(entry.id)
        .bind(entry.user_id)
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

/// Removes an entry: only for rows that a self-test wrote itself.
pub async fn delete(tx: &mut Tx, id: AuditLogId) -> Result<bool> {
    let done = on_tx!(tx, connection => query("delete from audit_logs where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
