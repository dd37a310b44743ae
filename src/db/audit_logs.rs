//! The `audit_logs` table: the audit log, append-only.

use sqlx::{query, query_scalar};
use uuid::Uuid;

use super::{
    Tx,
    list::{ListedRow, UserRow},
    query::Column,
    row::{self, row},
    run,
};
use crate::{
    error::Result,
    model::{AuditAction, AuditLog, AuditLogId, Timestamp, UserId},
};

row!(AuditLog in "audit_logs":
    id, user_id, username, action, details, description, ip_address, user_agent, success, timestamp);

impl ListedRow for AuditLog {
    const LARGE_COLUMN: Option<Column> = Some(columns::DETAILS);

    fn id(&self) -> Uuid {
        self.id.into()
    }
}

impl UserRow for AuditLog {
    fn user_id(&self) -> Option<UserId> {
        self.user_id
    }
}

/// The columns that audit log entries can be filtered by.
pub mod columns {
    use crate::{
        db::{query::Column, row::column},
        model::AuditLog,
    };

    pub const ID: Column = column::<AuditLog>("id");
    pub const USER: Column = column::<AuditLog>("user_id");
    pub const USERNAME: Column = column::<AuditLog>("username");
    pub const ACTION: Column = column::<AuditLog>("action");
    pub const DETAILS: Column = column::<AuditLog>("details");
    pub const DESCRIPTION: Column = column::<AuditLog>("description");
    pub const IP_ADDRESS: Column = column::<AuditLog>("ip_address");
    pub const USER_AGENT: Column = column::<AuditLog>("user_agent");
    pub const SUCCESS: Column = column::<AuditLog>("success");
    pub const TIMESTAMP: Column = column::<AuditLog>("timestamp");
}

/// The columns that audit log entries can be ordered by.
pub mod orders {
    use super::columns;
    use crate::db::query::{SortColumn, SortKind};

    pub const TIMESTAMP: SortColumn = SortColumn::new(columns::TIMESTAMP, SortKind::Time);
}

/// Adds an entry; `false` if the id is taken.
pub async fn insert(tx: &mut Tx, entry: &AuditLog) -> Result<bool> {
    tracing::trace!(target: "request_path", "insert");
    Ok(row::insert(tx, entry.clone(), "on conflict (id) do nothing").await? > 0)
}

/// Stores the user name in the entries that only have the user's id, before the user is deleted.
pub async fn store_username(tx: &mut Tx, user: UserId, username: &str) -> Result<u64> {
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

/// The times of a user's failed actions since a time, the newest first, at most `limit`.
pub async fn failures_since(
    tx: &mut Tx,
    user: UserId,
    action: AuditAction,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Timestamp>> {
    run!(tx, connection => query_scalar(FAILURES_SINCE)
        .bind(user)
        .bind(action)
        .bind(since)
        .bind(limit)
        .fetch_all(connection)
        .await)
}

/// Deletes an entry; only for rows that the self-check wrote itself.
pub async fn delete(tx: &mut Tx, id: AuditLogId) -> Result<bool> {
    let done = run!(tx, connection => query("delete from audit_logs where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
