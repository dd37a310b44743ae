//! The `auth_sessions` table: login sessions, to which access tokens and refresh tokens belong.

use std::sync::LazyLock;

use sqlx::{FromRow, Row, error::BoxDynError, query, query_as, query_scalar};
use uuid::Uuid;

use super::{
    AccountsTx, Db, Tx,
    list::{ListedRow, UserRow},
    row::{self, InsertRow, RowValues, TableRow, row, select},
    run,
};
use crate::{
    error::Result,
    model::{AuthSession, AuthSessionId, Timestamp, User, UserId},
};

row!(AuthSession in "auth_sessions":
    id, user_id, created_at, last_used_at, expires_at, ip_address, user_agent, revoked_at);

impl ListedRow for AuthSession {
    fn id(&self) -> Uuid {
        self.id.into()
    }
}

impl UserRow for AuthSession {
    fn user_id(&self) -> Option<UserId> {
        Some(self.user_id)
    }
}

/// The columns that login sessions can be ordered by.
pub mod orders {
    use crate::{
        db::{
            query::{SortColumn, SortKind},
            row::column,
        },
        model::AuthSession,
    };

    pub const CREATED_AT: SortColumn = SortColumn::new(column::<AuthSession>("created_at"), SortKind::Time);
}

/// The user of a login session, and when it expires.
#[derive(Debug)]
pub struct SessionUser {
    pub user: User,
    pub expires_at: Timestamp,
    pub password_change_required: bool,
}

impl<'r, R: Row> FromRow<'r, R> for SessionUser
where
    User: FromRow<'r, R>,
    &'static str: sqlx::ColumnIndex<R>,
    Timestamp: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    bool: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            user: User::from_row(row)?,
            expires_at: row.try_get("expires_at")?,
            password_change_required: row.try_get("password_change_required")?,
        })
    }
}

static FIND_USER: LazyLock<String> = LazyLock::new(|| {
    select::<User>(
        ", t.password_change_required, s.expires_at
        from auth_sessions s join users t on t.id = s.user_id
        where s.id = $1 and s.user_id = $2 and s.revoked_at is null and s.expires_at > $3 and t.is_active",
    )
});

/// The active user of a valid login session.
pub async fn find_user(db: &Db, id: AuthSessionId, user: UserId, now: Timestamp) -> Result<Option<SessionUser>> {
    run!(db, connection => query_as::<_, SessionUser>(FIND_USER.as_str())
        .bind(id)
        .bind(user)
        .bind(now)
        .fetch_optional(connection)
        .await)
}

static FIND: LazyLock<String> = LazyLock::new(|| select::<AuthSession>(" from auth_sessions t where t.id = $1"));

/// The login session with this id, as the transaction sees it.
pub async fn find(tx: &mut Tx, id: AuthSessionId) -> Result<Option<AuthSession>> {
    run!(tx, connection => query_as::<_, AuthSession>(FIND.as_str()).bind(id).fetch_optional(connection).await)
}

/// The key that derives the successors of the login session's refresh tokens.
pub async fn successor_key(tx: &mut Tx, id: AuthSessionId) -> Result<Option<Vec<u8>>> {
    run!(tx, connection => query_scalar::<_, Vec<u8>>("select successor_key from auth_sessions where id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await)
}

/// A row with the column that is never listed.
struct NewAuthSession<'a>(AuthSession, &'a [u8]);

impl InsertRow for NewAuthSession<'_> {
    const TABLE: &'static str = <AuthSession as TableRow>::TABLE;

    fn columns() -> Vec<&'static str> {
        [AuthSession::COLUMNS, &["successor_key"]].concat()
    }

    fn put(self, values: &mut impl RowValues) -> Result<(), BoxDynError> {
        let Self(session, successor_key) = self;
        session.put(values)?;
        values.put(successor_key)
    }
}

/// Adds a login session.
pub async fn insert(tx: &mut Tx, session: &AuthSession, successor_key: &[u8]) -> Result<()> {
    row::insert(tx, NewAuthSession(session.clone(), successor_key), "").await?;
    Ok(())
}

/// Records the use of a login session.
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

/// Revokes a login session; `false` if it was revoked before.
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

/// Revokes the login sessions of a user, except for one if it is given. Returns how many.
pub async fn revoke_all(
    tx: AccountsTx<'_>,
    user: UserId,
    except: Option<AuthSessionId>,
    now: Timestamp,
) -> Result<u64> {
    run!(tx, connection => query(REVOKE_ALL)
        .bind(user)
        .bind(now)
        .bind(except.unwrap_or(AuthSessionId(Uuid::nil())))
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

/// Deletes a user's login sessions that expired before a time.
pub async fn delete_expired(tx: &mut Tx, user: UserId, before: Timestamp) -> Result<u64> {
    run!(tx, connection => query("delete from auth_sessions where user_id = $1 and expires_at < $2")
        .bind(user)
        .bind(before)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}
