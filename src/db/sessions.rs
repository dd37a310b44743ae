//! The `sessions` table: conversations with agents.

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
    model::{Session, SessionId, UserId},
};

row!("sessions" as Session, COLUMNS: id, user_id, thread_id, context, title, is_active, created_at, updated_at, ended_at);

static TABLE: Table = Table { name: "sessions", columns: COLUMNS, order: "created_at" };

/// One page of everybody's sessions, newest first.
pub async fn list(db: &Db, page: &Page) -> Result<Slice<Session>> {
    let rows = on!(db, pool => dialect::page_of_all(&TABLE, page).build_query_as().fetch_all(pool).await)?;
    Ok(Slice::cut(rows, page))
}

/// One page of sessions for each of the users; who has none is left out.
pub async fn pages_of(db: &Db, users: &[UserId], page: &Page) -> Result<HashMap<UserId, Slice<Session>>> {
    let rows = on!(db, pool => Dialect::page_of_each(&TABLE, users, page).build_query_as().fetch_all(pool).await)?;
    Ok(slices_by(rows, page, |row: &Session| Some(row.user_id)))
}

/// The sessions with these ids, in no order; unknown ids are left out.
pub async fn list_of(db: &Db, ids: &[Uuid]) -> Result<Vec<Session>> {
    on!(db, pool => dialect::by_ids(&TABLE, ids).build_query_as().fetch_all(pool).await)
}

const INSERT: &str = "
    insert into sessions (id, user_id, thread_id, context, title, is_active, created_at, updated_at, ended_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (id) do nothing";

/// Adds a session; whether it was new is said by the answer.
pub async fn insert(tx: &mut Tx, session: &Session) -> Result<bool> {
    let done = on_tx!(tx, connection => query(INSERT)
        .bind(session.id)
        .bind(session.user_id)
        .bind(&session.thread_id)
        .bind(&session.context)
        .bind(&session.title)
        .bind(session.is_active)
        .bind(session.created_at)
        .bind(session.updated_at)
        .bind(session.ended_at)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

/// Removes a session; whether there was one is said by the answer.
pub async fn delete(tx: &mut Tx, id: SessionId) -> Result<bool> {
    let done = on_tx!(tx, connection => query("delete from sessions where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
