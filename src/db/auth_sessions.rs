//! The `auth_sessions` table: logins, each with the access tokens and refresh tokens that came of it.

use std::collections::HashMap;

use sqlx::{FromRow, Row, query, query_as, query_scalar};
use uuid::Uuid;

use super::{
    AccountsTx, Db, Tx,
    codec::row,
    query::{
        filter::Filter,
        list::{self, Table},
        page::{ListQuery, Page, pages_by_parent},
        rows::ReadRows,
    },
    run,
};
use crate::{
    error::Result,
    model::{AuthSession, AuthSessionId, Timestamp, User, UserId},
};

row!("auth_sessions" as AuthSession, COLUMNS:
    id, user_id, created_at, last_used_at, expires_at, ip_address, user_agent, revoked_at);

static TABLE: Table = Table { name: "auth_sessions", columns: COLUMNS, large: None };

/// What auth sessions can be ordered by.
pub mod orders {
    use crate::db::query::page::{SortColumn, SortKind};

    pub const CREATED_AT: SortColumn = SortColumn { name: "created_at", kind: SortKind::Time };
}

/// One page of auth sessions for each of the users; who has none is left out.
pub async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<AuthSession>>> {
    let rows =
        run!(db, connection => connection.rows(db.meter(), list::page_of_each(&TABLE, users, query), true).await)?;
    Ok(pages_by_parent(rows, &query.page, |row: &AuthSession| Some(row.user_id)))
}

/// How many auth sessions each of the users has; who has none is left out.
pub async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
    let counts = run!(db, connection => list::count_of_each(&TABLE, users, filter)
        .build_query_as::<(UserId, i64)>()
        .fetch_all(connection)
        .await)?;
    Ok(counts.into_iter().collect())
}

/// The auth sessions with these ids, in no order, only those of the owner if one is given; unknown ids are left out.
pub async fn by_ids(db: &Db, ids: &[Uuid], owner: Option<UserId>) -> Result<Vec<AuthSession>> {
    run!(db, connection => connection.rows(db.meter(), list::by_ids_of(&TABLE, ids, owner), true).await)
}

/// Whose login it is, and when it ends.
#[derive(Debug)]
pub struct Holder {
    pub user: User,
    pub expires_at: Timestamp,
    pub password_change_required: bool,
}

impl<'r, R: Row> FromRow<'r, R> for Holder
where
    User: FromRow<'r, R>,
    usize: sqlx::ColumnIndex<R>,
    Timestamp: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    bool: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self { user: User::from_row(row)?, expires_at: row.try_get(9)?, password_change_required: row.try_get(10)? })
    }
}

const FIND_HOLDER: &str = "
    select t.id, t.username, t.email, t.role, t.is_active, t.full_name, t.created_at, t.updated_at, t.last_login,
        s.expires_at, t.password_change_required
    from auth_sessions s join users t on t.id = s.user_id
    where s.id = $1 and s.user_id = $2 and s.revoked_at is null and s.expires_at > $3 and t.is_active";

/// The user of an auth session that holds, if the user may still log in.
pub async fn find_holder(db: &Db, id: AuthSessionId, user: UserId, now: Timestamp) -> Result<Option<Holder>> {
    run!(db, connection => query_as::<_, Holder>(FIND_HOLDER)
        .bind(id)
        .bind(user)
        .bind(now)
        .fetch_optional(connection)
        .await)
}

const FIND: &str = "
    select t.id, t.user_id, t.created_at, t.last_used_at, t.expires_at, t.ip_address, t.user_agent, t.revoked_at
    from auth_sessions t where t.id = $1";

/// The auth session with this id, as the transaction sees it.
pub async fn find(tx: &mut Tx, id: AuthSessionId) -> Result<Option<AuthSession>> {
    run!(tx, connection => query_as::<_, AuthSession>(FIND).bind(id).fetch_optional(connection).await)
}

/// The key by which a refresh token of the auth session makes its successor.
pub async fn successor_key(tx: &mut Tx, id: AuthSessionId) -> Result<Option<Vec<u8>>> {
    run!(tx, connection => query_scalar::<_, Vec<u8>>("select successor_key from auth_sessions where id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await)
}

const INSERT: &str = "
    insert into auth_sessions
        (id, user_id, created_at, last_used_at, expires_at, ip_address, user_agent, revoked_at, successor_key)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Begins an auth session.
pub async fn insert(tx: &mut Tx, session: &AuthSession, successor_key: &[u8]) -> Result<()> {
    run!(tx, connection => query(INSERT)
        .bind(session.id)
        .bind(session.user_id)
        .bind(session.created_at)
        .bind(session.last_used_at)
        .bind(session.expires_at)
        .bind(&session.ip_address)
        .bind(&session.user_agent)
        .bind(session.revoked_at)
        .bind(successor_key)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

/// Notes that the auth session was used.
pub async fn set_last_used(tx: &mut Tx, id: AuthSessionId, now: Timestamp) -> Result<()> {
    run!(tx, connection => query("update auth_sessions set last_used_at = $2 where id = $1")
        .bind(id)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

const REVOKE: &str = "update auth_sessions set revoked_at = $2 where id = $1 and revoked_at is null";

/// Ends an auth session; `false` when it was ended before.
pub async fn revoke(tx: AccountsTx<'_>, id: AuthSessionId, now: Timestamp) -> Result<bool> {
    let done = run!(tx, connection => query(REVOKE)
        .bind(id)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

const REVOKE_ALL: &str = "
    update auth_sessions set revoked_at = $2
    where user_id = $1 and revoked_at is null and expires_at > $2 and id <> $3";

/// Ends all auth sessions of a user, or all but one; how many there were.
pub async fn revoke_all(tx: AccountsTx<'_>, user: UserId, but: Option<AuthSessionId>, now: Timestamp) -> Result<u64> {
    run!(tx, connection => query(REVOKE_ALL)
        .bind(user)
        .bind(now)
        .bind(but.unwrap_or(AuthSessionId(Uuid::nil())))
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

/// Forgets a user's auth sessions that ended before a time.
pub async fn delete_ended(tx: &mut Tx, user: UserId, before: Timestamp) -> Result<u64> {
    run!(tx, connection => query("delete from auth_sessions where user_id = $1 and expires_at < $2")
        .bind(user)
        .bind(before)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}
