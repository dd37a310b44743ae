//! The `sessions` table: conversations with agents.

use std::collections::HashMap;

use sqlx::{query, query_as};
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
    model::{Session, SessionId, Timestamp, UserId},
};

row!("sessions" as Session, COLUMNS: id, user_id, thread_id, context, title, is_active, created_at, updated_at, ended_at);

static TABLE: Table = Table { name: "sessions", columns: COLUMNS, large: Some(columns::CONTEXT) };

/// What sessions can be filtered by.
pub mod columns {
    use crate::db::query::filter::Column;

    pub const ID: Column = Column("id");
    pub const USER: Column = Column("user_id");
    pub const THREAD_ID: Column = Column("thread_id");
    pub const CONTEXT: Column = Column("context");
    pub const TITLE: Column = Column("title");
    pub const IS_ACTIVE: Column = Column("is_active");
    pub const CREATED_AT: Column = Column("created_at");
    pub const UPDATED_AT: Column = Column("updated_at");
    pub const ENDED_AT: Column = Column("ended_at");
}

/// What sessions can be ordered by.
pub mod orders {
    use crate::db::query::page::{SortColumn, SortKind};

    pub const CREATED_AT: SortColumn = SortColumn { name: "created_at", kind: SortKind::Time };
    pub const UPDATED_AT: SortColumn = SortColumn { name: "updated_at", kind: SortKind::Time };
}

/// One page of everybody's sessions, in its order.
pub async fn list(db: &Db, query: &ListQuery) -> Result<Page<Session>> {
    let rows = run!(db, connection, persistent = generic_plan_is_safe(query.filter.as_ref()) => connection
        .rows(db.meter(), list::page_of_all(&TABLE, query), persistent)
        .await)?;
    Ok(Page::cut(rows, &query.page))
}

/// One page of sessions for each of the users; who has none is left out.
pub async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<Session>>> {
    tracing::trace!(target: "request_path", "read");
    let rows = run!(db, connection, persistent = generic_plan_is_safe(query.filter.as_ref()) => connection
        .rows(db.meter(), list::page_of_each(&TABLE, users, query), persistent)
        .await)?;
    Ok(pages_by_parent(rows, &query.page, |row: &Session| Some(row.user_id)))
}

/// How many sessions pass the filter.
pub async fn count(db: &Db, filter: Option<&Filter>) -> Result<i64> {
    run!(db, connection, persistent = generic_plan_is_safe(filter) => list::count_of_all(&TABLE, filter)
        .build_query_scalar()
        .persistent(persistent)
        .fetch_one(connection)
        .await)
}

/// How many sessions of each of the users pass the filter; who has none is left out.
pub async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
    let counts = run!(db, connection, persistent = generic_plan_is_safe(filter) => list::count_of_each(&TABLE, users, filter)
        .build_query_as::<(UserId, i64)>()
        .persistent(persistent)
        .fetch_all(connection)
        .await)?;
    Ok(counts.into_iter().collect())
}

/// The sessions with these ids, in no order; unknown ids are left out.
pub async fn by_ids(db: &Db, ids: &[Uuid]) -> Result<Vec<Session>> {
    run!(db, connection => connection.rows(db.meter(), list::by_ids(&TABLE, ids), true).await)
}

const INSERT: &str = "
    insert into sessions (id, user_id, thread_id, context, title, is_active, created_at, updated_at, ended_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (id) do nothing";

/// Adds a session; whether it was new is said by the answer.
pub async fn insert(tx: &mut Tx, session: &Session) -> Result<bool> {
    let done = run!(tx, connection => query(INSERT)
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

const FIND: &str = "
    select t.id, t.user_id, t.thread_id, t.context, t.title, t.is_active, t.created_at, t.updated_at, t.ended_at
    from sessions t where t.id = $1";

/// The session with this id, as the transaction sees it.
pub async fn find_within(tx: &mut Tx, id: SessionId) -> Result<Option<Session>> {
    run!(tx, connection => query_as::<_, Session>(FIND).bind(id).fetch_optional(connection).await)
}

const UPDATE: &str = "
    update sessions set title = $3, thread_id = $4, context = $5, is_active = $6, updated_at = $7, ended_at = $8
    where id = $1 and updated_at = $2";

/// Replaces a session that was last changed then; `false` when it is gone or was changed since.
pub async fn update(tx: &mut Tx, session: &Session, last_updated_at: Timestamp) -> Result<bool> {
    tracing::trace!(target: "request_path", "update");
    let done = run!(tx, connection => query(UPDATE)
        .bind(session.id)
        .bind(last_updated_at)
        .bind(&session.title)
        .bind(&session.thread_id)
        .bind(&session.context)
        .bind(session.is_active)
        .bind(session.updated_at)
        .bind(session.ended_at)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

/// Removes a session; whether there was one is said by the answer.
pub async fn delete(tx: &mut Tx, id: SessionId) -> Result<bool> {
    let done = run!(tx, connection => query("delete from sessions where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
