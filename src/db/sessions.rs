//! The `sessions` table: sessions with agents.

use std::sync::LazyLock;

use sqlx::{query, query_as};
use uuid::Uuid;

use super::{
    Tx,
    list::{ListedRow, UserRow},
    query::Column,
    row::{self, row, select},
    run,
};
use crate::{
    error::Result,
    model::{Session, SessionId, Timestamp, UserId},
};

row!(Session in "sessions":
    id, user_id, thread_id, context, title, is_active, created_at, updated_at, ended_at);

impl ListedRow for Session {
    const LARGE_COLUMN: Option<Column> = Some(columns::CONTEXT);

    fn id(&self) -> Uuid {
        self.id.into()
    }
}

impl UserRow for Session {
    fn user_id(&self) -> Option<UserId> {
        Some(self.user_id)
    }
}

/// The columns that sessions can be filtered by.
pub mod columns {
    use crate::{
        db::{query::Column, row::column},
        model::Session,
    };

    pub const ID: Column = column::<Session>("id");
    pub const USER: Column = column::<Session>("user_id");
    pub const THREAD_ID: Column = column::<Session>("thread_id");
    pub const CONTEXT: Column = column::<Session>("context");
    pub const TITLE: Column = column::<Session>("title");
    pub const IS_ACTIVE: Column = column::<Session>("is_active");
    pub const CREATED_AT: Column = column::<Session>("created_at");
    pub const UPDATED_AT: Column = column::<Session>("updated_at");
    pub const ENDED_AT: Column = column::<Session>("ended_at");
}

/// The columns that sessions can be ordered by.
pub mod orders {
    use super::columns;
    use crate::db::query::{SortColumn, SortKind};

    pub const CREATED_AT: SortColumn = SortColumn::new(columns::CREATED_AT, SortKind::Time);
    pub const UPDATED_AT: SortColumn = SortColumn::new(columns::UPDATED_AT, SortKind::Time);
}

/// Adds a session; `false` if the id is taken.
pub async fn insert(tx: &mut Tx, session: &Session) -> Result<bool> {
    Ok(row::insert(tx, session.clone(), "on conflict (id) do nothing").await? > 0)
}

static FIND: LazyLock<String> = LazyLock::new(|| select::<Session>(" from sessions t where t.id = $1"));

/// The session with this id, as the transaction sees it.
pub async fn find_within(tx: &mut Tx, id: SessionId) -> Result<Option<Session>> {
    run!(tx, connection => query_as::<_, Session>(FIND.as_str()).bind(id).fetch_optional(connection).await)
}

const UPDATE: &str = "
    update sessions set title = $3, thread_id = $4, context = $5, is_active = $6, updated_at = $7, ended_at = $8
    where id = $1 and updated_at = $2";

/// Updates a session; `false` if it was deleted, or updated since `last_updated_at`.
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

/// Deletes a session; `false` if there is none with this id.
pub async fn delete(tx: &mut Tx, id: SessionId) -> Result<bool> {
    let done = run!(tx, connection => query("delete from sessions where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
