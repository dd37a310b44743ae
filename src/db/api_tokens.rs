//! The `api_tokens` table: tokens for scripts, by their hashes.

use std::collections::HashMap;

use sqlx::{FromRow, Row, query, query_as};
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
pub use crate::db::refresh_tokens::TokenHash;
use crate::{
    error::Result,
    model::{ApiToken, ApiTokenId, Scopes, Timestamp, User, UserId},
};

row!("api_tokens" as ApiToken, COLUMNS:
    id, user_id, name, scopes, created_at, expires_at, last_used_at, revoked_at);

static TABLE: Table = Table { name: "api_tokens", columns: COLUMNS, large: None };

/// What API tokens can be ordered by.
pub mod orders {
    use crate::db::query::page::{SortColumn, SortKind};

    pub const CREATED_AT: SortColumn = SortColumn { name: "created_at", kind: SortKind::Time };
}

/// One page of API tokens for each of the users; who has none is left out.
pub async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<ApiToken>>> {
    let rows =
        run!(db, connection => connection.rows(db.meter(), list::page_of_each(&TABLE, users, query), true).await)?;
    Ok(pages_by_parent(rows, &query.page, |row: &ApiToken| Some(row.user_id)))
}

/// How many API tokens each of the users has; who has none is left out.
pub async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
    let counts = run!(db, connection => list::count_of_each(&TABLE, users, filter)
        .build_query_as::<(UserId, i64)>()
        .fetch_all(connection)
        .await)?;
    Ok(counts.into_iter().collect())
}

/// The API tokens with these ids, in no order, only those of the owner if one is given; unknown ids are left out.
pub async fn by_ids(db: &Db, ids: &[Uuid], owner: Option<UserId>) -> Result<Vec<ApiToken>> {
    run!(db, connection => connection.rows(db.meter(), list::by_ids_of(&TABLE, ids, owner), true).await)
}

/// Whose token it is, and what it is good for.
#[derive(Debug)]
pub struct Holder {
    pub user: User,
    pub token: ApiTokenId,
    pub scopes: Scopes,
    pub expires_at: Timestamp,
}

impl<'r, R: Row> FromRow<'r, R> for Holder
where
    User: FromRow<'r, R>,
    usize: sqlx::ColumnIndex<R>,
    ApiTokenId: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Scopes: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Timestamp: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            user: User::from_row(row)?,
            token: row.try_get(9)?,
            scopes: row.try_get(10)?,
            expires_at: row.try_get(11)?,
        })
    }
}

const FIND_HOLDER: &str = "
    select t.id, t.username, t.email, t.role, t.is_active, t.full_name, t.created_at, t.updated_at, t.last_login,
        a.id, a.scopes, a.expires_at
    from api_tokens a join users t on t.id = a.user_id
    where a.token_hash = $1 and a.revoked_at is null and a.expires_at > $2 and t.is_active";

/// The holder of a token that holds, if the user may still log in.
pub async fn find_holder(db: &Db, hash: TokenHash, now: Timestamp) -> Result<Option<Holder>> {
    run!(db, connection => query_as::<_, Holder>(FIND_HOLDER).bind(&hash[..]).bind(now).fetch_optional(connection).await)
}

const FIND: &str = "
    select t.id, t.user_id, t.name, t.scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
    from api_tokens t where t.id = $1";

/// The API token with this id, as the transaction sees it.
pub async fn find(tx: &mut Tx, id: ApiTokenId) -> Result<Option<ApiToken>> {
    run!(tx, connection => query_as::<_, ApiToken>(FIND).bind(id).fetch_optional(connection).await)
}

const INSERT: &str = "
    insert into api_tokens (id, user_id, name, scopes, created_at, expires_at, last_used_at, revoked_at, token_hash)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Adds an API token.
pub async fn insert(tx: &mut Tx, token: &ApiToken, hash: TokenHash) -> Result<()> {
    run!(tx, connection => query(INSERT)
        .bind(token.id)
        .bind(token.user_id)
        .bind(&token.name)
        .bind(&token.scopes)
        .bind(token.created_at)
        .bind(token.expires_at)
        .bind(token.last_used_at)
        .bind(token.revoked_at)
        .bind(&hash[..])
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

const SET_LAST_USED: &str = "
    update api_tokens set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at <= $3)";

/// Notes that the token was used, unless that was noted after `since`.
pub async fn set_last_used(tx: &mut Tx, id: ApiTokenId, now: Timestamp, since: Timestamp) -> Result<()> {
    run!(tx, connection => query(SET_LAST_USED)
        .bind(id)
        .bind(now)
        .bind(since)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

const REVOKE: &str = "update api_tokens set revoked_at = $2 where id = $1 and revoked_at is null";

/// Ends an API token; `false` when it was ended before.
pub async fn revoke(tx: AccountsTx<'_>, id: ApiTokenId, now: Timestamp) -> Result<bool> {
    let done = run!(tx, connection => query(REVOKE)
        .bind(id)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

const REVOKE_ALL: &str = "update api_tokens set revoked_at = $2 where user_id = $1 and revoked_at is null";

/// Ends all API tokens of a user that were not ended before; how many there were.
pub async fn revoke_all(tx: AccountsTx<'_>, user: UserId, now: Timestamp) -> Result<u64> {
    run!(tx, connection => query(REVOKE_ALL)
        .bind(user)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}
