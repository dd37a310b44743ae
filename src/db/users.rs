//! The `users` table.

use std::sync::LazyLock;

use secrecy::{ExposeSecret, SecretString};
use sqlx::{FromRow, Row, error::BoxDynError, query, query_as, query_scalar};
use uuid::Uuid;

use super::{
    AccountsTx, Db, Tx, dialect,
    list::ListedRow,
    row::{self, InsertRow, RowValues, TableRow, row, select},
    run,
};
use crate::{
    error::Result,
    model::{Credentials, Timestamp, User, UserId},
};

row!(User in "users": id, username, email, role, is_active, full_name, created_at, updated_at, last_login);

impl ListedRow for User {
    fn id(&self) -> Uuid {
        self.id.into()
    }
}

/// The columns that users can be filtered by.
pub mod columns {
    use crate::{
        db::{query::Column, row::column},
        model::User,
    };

    pub const ID: Column = column::<User>("id");
    pub const USERNAME: Column = column::<User>("username");
    pub const EMAIL: Column = column::<User>("email");
    pub const FULL_NAME: Column = column::<User>("full_name");
    pub const ROLE: Column = column::<User>("role");
    pub const IS_ACTIVE: Column = column::<User>("is_active");
    pub const CREATED_AT: Column = column::<User>("created_at");
    pub const UPDATED_AT: Column = column::<User>("updated_at");
    pub const LAST_LOGIN: Column = column::<User>("last_login");
}

/// The columns that users can be ordered by.
pub mod orders {
    use super::columns;
    use crate::db::query::{SortColumn, SortKind};

    pub const CREATED_AT: SortColumn = SortColumn::new(columns::CREATED_AT, SortKind::Time);
    pub const USERNAME: SortColumn = SortColumn::new(columns::USERNAME, SortKind::Text);
    pub const EMAIL: SortColumn = SortColumn::new(columns::EMAIL, SortKind::Text);
    pub const LAST_LOGIN: SortColumn = SortColumn::new(columns::LAST_LOGIN, SortKind::OptionalTime);
}

static FIND: LazyLock<String> = LazyLock::new(|| select::<User>(" from users t where t.id = $1"));

/// The user with this id.
pub async fn find(db: &Db, id: UserId) -> Result<Option<User>> {
    run!(db, connection => query_as::<_, User>(FIND.as_str()).bind(id).fetch_optional(connection).await)
}

/// The user with this id, as the transaction sees it.
pub async fn find_within(tx: &mut Tx, id: UserId) -> Result<Option<User>> {
    run!(tx, connection => query_as::<_, User>(FIND.as_str()).bind(id).fetch_optional(connection).await)
}

/// Returns true if the user has to choose another password.
pub async fn password_change_required(tx: &mut Tx, id: UserId) -> Result<bool> {
    run!(tx, connection => query_scalar("select password_change_required from users where id = $1")
        .bind(id)
        .fetch_one(connection)
        .await)
}

static FIND_BY_USERNAME: LazyLock<String> = LazyLock::new(|| select::<User>(" from users t where t.username = $1"));

/// The user with this user name.
pub async fn find_by_username(db: &Db, username: &str) -> Result<Option<User>> {
    run!(db, connection => query_as::<_, User>(FIND_BY_USERNAME.as_str())
        .bind(username)
        .fetch_optional(connection)
        .await)
}

static FIND_CREDENTIALS: LazyLock<String> = LazyLock::new(|| {
    select::<User>(
        ", t.hashed_password, t.password_change_required
        from users t where lower(t.username) = lower($1) or lower(t.email) = lower($1)
        order by t.username = $1 desc, t.email = $1 desc, lower(t.username) = lower($1) desc, t.id limit 1",
    )
});

/// The credentials for this user name or e-mail address, compared case-insensitively. A case-sensitive match is preferred,
/// then a user name over an e-mail address.
pub async fn find_credentials(db: &Db, login: &str) -> Result<Option<Credentials>> {
    run!(db, connection => query_as::<_, Credentials>(FIND_CREDENTIALS.as_str())
        .bind(login)
        .fetch_optional(connection)
        .await)
}

static FIND_CREDENTIALS_BY_ID: LazyLock<String> =
    LazyLock::new(|| select::<User>(", t.hashed_password, t.password_change_required from users t where t.id = $1"));

/// The credentials of the user with this id.
pub async fn find_credentials_by_id(db: &Db, id: UserId) -> Result<Option<Credentials>> {
    run!(db, connection => query_as::<_, Credentials>(FIND_CREDENTIALS_BY_ID.as_str())
        .bind(id)
        .fetch_optional(connection)
        .await)
}

impl<'r, R: Row> FromRow<'r, R> for Credentials
where
    User: FromRow<'r, R>,
    &'static str: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    bool: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let hash: String = row.try_get("hashed_password")?;
        Ok(Self {
            user: User::from_row(row)?,
            hashed_password: SecretString::from(hash),
            password_change_required: row.try_get("password_change_required")?,
        })
    }
}

impl InsertRow for Credentials {
    const TABLE: &'static str = <User as TableRow>::TABLE;

    fn columns() -> Vec<&'static str> {
        [User::COLUMNS, &["hashed_password", "password_change_required"]].concat()
    }

    fn put(self, values: &mut impl RowValues) -> std::result::Result<(), BoxDynError> {
        self.user.put(values)?;
        values.put(self.hashed_password.expose_secret())?;
        values.put(self.password_change_required)
    }
}

/// Adds a user; `false` if the id, the user name or the e-mail address is taken.
pub async fn insert(tx: &mut Tx, credentials: &Credentials) -> Result<bool> {
    Ok(row::insert(tx, credentials.clone(), "on conflict do nothing").await? > 0)
}

const UPDATE: &str = "
    update users set username = $2, email = $3, role = $4, is_active = $5, full_name = $6, updated_at = $7
    where id = $1";

/// Updates a user, except for the password. A user name or an e-mail address of another user is CONFLICT.
pub async fn update(tx: AccountsTx<'_>, user: &User) -> Result<bool> {
    let done = run!(tx, connection => query(UPDATE)
        .bind(user.id)
        .bind(&user.username)
        .bind(&user.email)
        .bind(user.role)
        .bind(user.is_active)
        .bind(&user.full_name)
        .bind(user.updated_at)
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(dialect::unique_violation))?;
    Ok(done > 0)
}

const IS_NAME_OF_ANOTHER: &str = "
    select exists (
        select 1 from users where (lower(username) = lower($1) or lower(email) = lower($1)) and id <> $2)";

/// Returns true if another user has this user name or e-mail address, compared case-insensitively.
pub async fn is_name_of_another(tx: &mut Tx, login: &str, id: UserId) -> Result<bool> {
    run!(tx, connection => query_scalar(IS_NAME_OF_ANOTHER).bind(login).bind(id).fetch_one(connection).await)
}

const HAS_OTHER_ADMIN: &str = "select exists (select 1 from users where role = 'admin' and is_active and id <> $1)";

/// Returns true if there is another active admin than this user.
pub async fn has_other_admin(tx: &mut Tx, id: UserId) -> Result<bool> {
    run!(tx, connection => query_scalar(HAS_OTHER_ADMIN).bind(id).fetch_one(connection).await)
}

const RECORD_LOGIN: &str = "
    update users set last_login = $3, password_change_required = password_change_required or $4
    where id = $1 and hashed_password = $2 and is_active";

/// Records a login; `false` if the user is not active any more or has another password hash. With `change_required`, the
/// user has to choose another password.
pub async fn record_login(
    tx: AccountsTx<'_>,
    id: UserId,
    hash: &SecretString,
    change_required: bool,
    now: Timestamp,
) -> Result<bool> {
    let done = run!(tx, connection => query(RECORD_LOGIN)
        .bind(id)
        .bind(hash.expose_secret())
        .bind(now)
        .bind(change_required)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

const SET_PASSWORD: &str = "
    update users set hashed_password = $2, password_change_required = $3, updated_at = $4 where id = $1";

/// Sets the user's password. With `change_required`, the user has to choose another one.
pub async fn set_password(
    tx: AccountsTx<'_>,
    id: UserId,
    hash: &SecretString,
    change_required: bool,
    now: Timestamp,
) -> Result<bool> {
    let done = run!(tx, connection => query(SET_PASSWORD)
        .bind(id)
        .bind(hash.expose_secret())
        .bind(change_required)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

/// Returns true if the user still has this password hash.
pub async fn has_password_hash(tx: &mut Tx, id: UserId, hash: &SecretString) -> Result<bool> {
    run!(tx, connection => query_scalar("select exists (select 1 from users where id = $1 and hashed_password = $2)")
        .bind(id)
        .bind(hash.expose_secret())
        .fetch_one(connection)
        .await)
}

const BCRYPT_PREFIXES: &str =
    "select distinct substr(hashed_password, 1, 7) from users where hashed_password like '_2_$__$%' order by 1";

/// The distinct prefixes (`$2b$12$`) of the bcrypt hashes of an older program. Scans the whole table.
pub async fn bcrypt_prefixes(db: &Db) -> Result<Vec<String>> {
    run!(db, connection => query_scalar(BCRYPT_PREFIXES).fetch_all(connection).await)
}

const REPLACE_PASSWORD_HASH: &str = "update users set hashed_password = $3 where id = $1 and hashed_password = $2";

/// Replaces the hash by a better one of the same password, unless the password was changed in the meantime.
pub async fn replace_password_hash(tx: &mut Tx, id: UserId, old: &SecretString, new: &SecretString) -> Result<bool> {
    let done = run!(tx, connection => query(REPLACE_PASSWORD_HASH)
        .bind(id)
        .bind(old.expose_secret())
        .bind(new.expose_secret())
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

/// Locks user management until the transaction ends, so that rules over several rows (the last admin, names that are unique
/// case-insensitively) hold for concurrent transactions.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    let text = tx.texts().lock_users;
    run!(tx, connection => query(text).execute(connection).await.map(|done| done.rows_affected()))?;
    Ok(())
}

/// Deletes a user and, by the foreign keys, the user's sessions. Audit log entries stay, without the user.
pub async fn delete(tx: AccountsTx<'_>, id: UserId) -> Result<bool> {
    let done = run!(tx, connection => query("delete from users where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
