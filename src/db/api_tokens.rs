//! The `api_tokens` table: API tokens, by their hashes.

use std::sync::LazyLock;

use sqlx::{FromRow, Row, error::BoxDynError, query, query_as};
use uuid::Uuid;

use super::{
    AccountsTx, Db, Tx,
    list::{ListedRow, UserRow},
    row::{self, InsertRow, RowValues, TableRow, row, select},
    run,
};
pub use crate::db::refresh_tokens::TokenHash;
use crate::{
    error::Result,
    model::{ApiToken, ApiTokenId, Scopes, Timestamp, User, UserId},
};

row!(ApiToken in "api_tokens":
    id, user_id, name, scopes, created_at, expires_at, last_used_at, revoked_at);

impl ListedRow for ApiToken {
    fn id(&self) -> Uuid {
        self.id.into()
    }
}

impl UserRow for ApiToken {
    fn user_id(&self) -> Option<UserId> {
        Some(self.user_id)
    }
}

/// The columns that API tokens can be ordered by.
pub mod orders {
    use crate::{
        db::{
            query::{SortColumn, SortKind},
            row::column,
        },
        model::ApiToken,
    };

    pub const CREATED_AT: SortColumn = SortColumn::new(column::<ApiToken>("created_at"), SortKind::Time);
}

/// The user, the scopes and the expiry of an API token.
#[derive(Debug)]
pub struct TokenUser {
    pub user: User,
    pub token: ApiTokenId,
    pub scopes: Scopes,
    pub expires_at: Timestamp,
}

impl<'r, R: Row> FromRow<'r, R> for TokenUser
where
    User: FromRow<'r, R>,
    &'static str: sqlx::ColumnIndex<R>,
    ApiTokenId: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Scopes: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Timestamp: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            user: User::from_row(row)?,
            token: row.try_get("token_id")?,
            scopes: row.try_get("scopes")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

static FIND_USER: LazyLock<String> = LazyLock::new(|| {
    select::<User>(
        ", a.id as token_id, a.scopes, a.expires_at
        from api_tokens a join users t on t.id = a.user_id
        where a.token_hash = $1 and a.revoked_at is null and a.expires_at > $2 and t.is_active",
    )
});

/// The active user of a valid token.
pub async fn find_user(db: &Db, hash: TokenHash, now: Timestamp) -> Result<Option<TokenUser>> {
    run!(db, connection => query_as::<_, TokenUser>(FIND_USER.as_str())
        .bind(&hash[..])
        .bind(now)
        .fetch_optional(connection)
        .await)
}

static FIND: LazyLock<String> = LazyLock::new(|| select::<ApiToken>(" from api_tokens t where t.id = $1"));

/// The API token with this id, as the transaction sees it.
pub async fn find(tx: &mut Tx, id: ApiTokenId) -> Result<Option<ApiToken>> {
    run!(tx, connection => query_as::<_, ApiToken>(FIND.as_str()).bind(id).fetch_optional(connection).await)
}

/// A row with the column that is never listed.
struct NewApiToken(ApiToken, TokenHash);

impl InsertRow for NewApiToken {
    const TABLE: &'static str = <ApiToken as TableRow>::TABLE;

    fn columns() -> Vec<&'static str> {
        [ApiToken::COLUMNS, &["token_hash"]].concat()
    }

    fn put(self, values: &mut impl RowValues) -> Result<(), BoxDynError> {
        let Self(token, hash) = self;
        token.put(values)?;
        values.put(&hash[..])
    }
}

/// Adds an API token.
pub async fn insert(tx: &mut Tx, token: &ApiToken, hash: TokenHash) -> Result<()> {
    row::insert(tx, NewApiToken(token.clone(), hash), "").await?;
    Ok(())
}

const SET_LAST_USED: &str = "
    update api_tokens set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at <= $3)";

/// Records the use of a token, unless a use after `since` is recorded.
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

/// Revokes an API token; `false` if it was revoked before.
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

/// Revokes the API tokens of a user. Returns how many.
pub async fn revoke_all(tx: AccountsTx<'_>, user: UserId, now: Timestamp) -> Result<u64> {
    run!(tx, connection => query(REVOKE_ALL)
        .bind(user)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}
