//! The `users` table.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{FromRow, Row, query, query_as, query_scalar};
use uuid::Uuid;

use super::{
    AccountsTx, Db, Tx,
    codec::row,
    dialect,
    query::{
        filter::{Filter, generic_plan_is_safe},
        list::{self, Table},
        page::{ListQuery, Page},
        rows::ReadRows,
    },
    run,
};
use crate::{
    error::Result,
    model::{Credentials, Timestamp, User, UserId},
};

row!("users" as User, COLUMNS: id, username, email, role, is_active, full_name, created_at, updated_at, last_login);

static TABLE: Table = Table { name: "users", columns: COLUMNS, large: None };

/// What users can be filtered by.
pub mod columns {
    use crate::db::query::filter::Column;

    pub const ID: Column = Column("id");
    pub const USERNAME: Column = Column("username");
    pub const EMAIL: Column = Column("email");
    pub const FULL_NAME: Column = Column("full_name");
    pub const ROLE: Column = Column("role");
    pub const IS_ACTIVE: Column = Column("is_active");
    pub const CREATED_AT: Column = Column("created_at");
    pub const UPDATED_AT: Column = Column("updated_at");
    pub const LAST_LOGIN: Column = Column("last_login");
}

/// What users can be ordered by.
pub mod orders {
    use crate::db::query::page::{SortColumn, SortKind};

    pub const CREATED_AT: SortColumn = SortColumn { name: "created_at", kind: SortKind::Time };
    pub const USERNAME: SortColumn = SortColumn { name: "username", kind: SortKind::Text };
    pub const EMAIL: SortColumn = SortColumn { name: "email", kind: SortKind::Text };
    pub const LAST_LOGIN: SortColumn = SortColumn { name: "last_login", kind: SortKind::OptionalTime };
}

/// One page of all users, in its order.
pub async fn list(db: &Db, query: &ListQuery) -> Result<Page<User>> {
    tracing::trace!(target: "request_path", "list");
    let rows = run!(db, connection, persistent = generic_plan_is_safe(query.filter.as_ref()) => connection
        .rows(db.meter(), list::page_of_all(&TABLE, query), persistent)
        .await)?;
    Ok(Page::cut(rows, &query.page))
}

/// How many users pass the filter.
pub async fn count(db: &Db, filter: Option<&Filter>) -> Result<i64> {
    run!(db, connection, persistent = generic_plan_is_safe(filter) => list::count_of_all(&TABLE, filter)
        .build_query_scalar()
        .persistent(persistent)
        .fetch_one(connection)
        .await)
}

/// The users with these ids, in no order; unknown ids are left out.
pub async fn by_ids(db: &Db, ids: &[Uuid]) -> Result<Vec<User>> {
    run!(db, connection => connection.rows(db.meter(), list::by_ids(&TABLE, ids), true).await)
}

const FIND: &str = "
    select t.id, t.username, t.email, t.role, t.is_active, t.full_name, t.created_at, t.updated_at, t.last_login
    from users t where t.id = $1";

/// The user with this id.
pub async fn find(db: &Db, id: UserId) -> Result<Option<User>> {
    run!(db, connection => query_as::<_, User>(FIND).bind(id).fetch_optional(connection).await)
}

/// The user with this id, as the transaction sees it.
pub async fn find_within(tx: &mut Tx, id: UserId) -> Result<Option<User>> {
    run!(tx, connection => query_as::<_, User>(FIND).bind(id).fetch_optional(connection).await)
}

/// Whether the user has to choose another password.
pub async fn password_change_required(tx: &mut Tx, id: UserId) -> Result<bool> {
    run!(tx, connection => query_scalar("select password_change_required from users where id = $1")
        .bind(id)
        .fetch_one(connection)
        .await)
}

const FIND_BY_USERNAME: &str = "
    select t.id, t.username, t.email, t.role, t.is_active, t.full_name, t.created_at, t.updated_at, t.last_login
    from users t where t.username = $1";

/// The user with this user name.
pub async fn find_by_username(db: &Db, username: &str) -> Result<Option<User>> {
    run!(db, connection => query_as::<_, User>(FIND_BY_USERNAME).bind(username).fetch_optional(connection).await)
}

const FIND_CREDENTIALS: &str = "
    select t.id, t.username, t.email, t.role, t.is_active, t.full_name, t.created_at, t.updated_at, t.last_login,
        t.hashed_password, t.password_change_required
    from users t where lower(t.username) = lower($1) or lower(t.email) = lower($1)
    order by t.username = $1 desc, t.email = $1 desc, lower(t.username) = lower($1) desc, t.id limit 1";

/// What a login by this user name or e-mail address is checked against, without regard to case. What is the same to the
/// letter wins, and a user name over an address.
pub async fn find_credentials(db: &Db, login: &str) -> Result<Option<Credentials>> {
    run!(db, connection => query_as::<_, Credentials>(FIND_CREDENTIALS).bind(login).fetch_optional(connection).await)
}

const FIND_CREDENTIALS_OF: &str = "
    select t.id, t.username, t.email, t.role, t.is_active, t.full_name, t.created_at, t.updated_at, t.last_login,
        t.hashed_password, t.password_change_required
    from users t where t.id = $1";

/// What a login of the user with this id is checked against.
pub async fn find_credentials_of(db: &Db, id: UserId) -> Result<Option<Credentials>> {
    run!(db, connection => query_as::<_, Credentials>(FIND_CREDENTIALS_OF).bind(id).fetch_optional(connection).await)
}

impl<'r, R: Row> FromRow<'r, R> for Credentials
where
    User: FromRow<'r, R>,
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    bool: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let hash: String = row.try_get(9)?;
        Ok(Self {
            user: User::from_row(row)?,
            hashed_password: SecretString::from(hash),
            password_change_required: row.try_get(10)?,
        })
    }
}

const INSERT: &str = "
    insert into users
        (id, username, email, hashed_password, role, is_active, full_name, created_at, updated_at, last_login,
        password_change_required)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict do nothing";

/// Adds a user; `false` when the id, the user name or the address is taken.
pub async fn insert(tx: &mut Tx, credentials: &Credentials) -> Result<bool> {
    let user = &credentials.user;
    let done = run!(tx, connection => query(INSERT)
        .bind(user.id)
        .bind(&user.username)
        .bind(&user.email)
        .bind(credentials.hashed_password.expose_secret())
        .bind(user.role)
        .bind(user.is_active)
        .bind(&user.full_name)
        .bind(user.created_at)
        .bind(user.updated_at)
        .bind(user.last_login)
        .bind(credentials.password_change_required)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

const UPDATE: &str = "
    update users set username = $2, email = $3, role = $4, is_active = $5, full_name = $6, updated_at = $7
    where id = $1";

/// Stores what can be changed of a user, but the password. A user name or an address that another user has is CONFLICT.
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
        .map_err(dialect::taken))?;
    Ok(done > 0)
}

const NAMES_ANOTHER: &str = "
    select exists (
        select 1 from users where (lower(username) = lower($1) or lower(email) = lower($1)) and id <> $2)";

/// Whether another user than this one logs in by this name or address, without regard to case.
pub async fn names_another(tx: &mut Tx, login: &str, id: UserId) -> Result<bool> {
    run!(tx, connection => query_scalar(NAMES_ANOTHER).bind(login).bind(id).fetch_one(connection).await)
}

const ANOTHER_ADMIN: &str = "select exists (select 1 from users where role = 'admin' and is_active and id <> $1)";

/// Whether there is an admin who can log in, other than this user.
pub async fn has_admin_besides(tx: &mut Tx, id: UserId) -> Result<bool> {
    run!(tx, connection => query_scalar(ANOTHER_ADMIN).bind(id).fetch_one(connection).await)
}

const LOG_IN: &str = "
    update users set last_login = $3, password_change_required = password_change_required or $4
    where id = $1 and hashed_password = $2 and is_active";

/// Notes a login, unless the user may not log in any more, or not by this hash. Also that the password has to be changed,
/// when it is seen only now.
pub async fn log_in(
    tx: AccountsTx<'_>,
    id: UserId,
    hash: &SecretString,
    change_required: bool,
    now: Timestamp,
) -> Result<bool> {
    let done = run!(tx, connection => query(LOG_IN)
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

/// Gives the user another password, which has to be changed if somebody else chose it.
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

/// Whether the user's password is still the one of this hash.
pub async fn has_hash(tx: &mut Tx, id: UserId, hash: &SecretString) -> Result<bool> {
    run!(tx, connection => query_scalar("select exists (select 1 from users where id = $1 and hashed_password = $2)")
        .bind(id)
        .bind(hash.expose_secret())
        .fetch_one(connection)
        .await)
}

const OLDER_HASHES: &str =
    "select distinct substr(hashed_password, 1, 7) from users where hashed_password like '_2_$__$%' order by 1";

/// How the bcrypt hashes of an older program begin (`$2b$12$`), each way once. Reads the whole table.
pub async fn older_hashes(db: &Db) -> Result<Vec<String>> {
    run!(db, connection => query_scalar(OLDER_HASHES).fetch_all(connection).await)
}

const SET_HASH: &str = "update users set hashed_password = $3 where id = $1 and hashed_password = $2";

/// Stores the same password under a better hash, unless it was changed meanwhile.
pub async fn set_hash(tx: &mut Tx, id: UserId, old: &SecretString, new: &SecretString) -> Result<bool> {
    let done = run!(tx, connection => query(SET_HASH)
        .bind(id)
        .bind(old.expose_secret())
        .bind(new.expose_secret())
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

/// Waits until nobody else is managing users, and keeps others waiting until the transaction ends: rules over several
/// rows (the last admin, unique names without regard to case) hold under a race too.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    let text = tx.texts().lock_users;
    run!(tx, connection => query(text).execute(connection).await.map(|done| done.rows_affected()))?;
    Ok(())
}

/// Removes a user, and by the foreign keys the sessions; audit logs stay without the user.
pub async fn delete(tx: AccountsTx<'_>, id: UserId) -> Result<bool> {
    let done = run!(tx, connection => query("delete from users where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}
