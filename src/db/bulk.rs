//! Very many rows at once: which of them are there, pouring in those that are not, and getting the table's indexes out of
//! the way meanwhile. Everything happens in the caller's transaction, so it happens wholly or not at all.

use secrecy::ExposeSecret;
use sqlx::{
    AssertSqlSafe, Encode, Postgres, QueryBuilder, Sqlite, Type, error::BoxDynError, query_as, query_scalar, raw_sql,
};
use uuid::Uuid;

use super::{
    Db, Tx,
    dialect::{self, Dialect},
    run,
};
use crate::{
    error::{Error, Result},
    model::{AnyId, AuditLog, Credentials, Session},
};

/// A row as the list of its columns' values.
pub(crate) trait Row: Sized {
    const TABLE: &'static str;
    /// The names of the columns, in the order of the values.
    const COLUMNS: &'static [&'static str];

    fn put(self, cells: &mut impl Cells) -> Result<(), BoxDynError>;
}

/// Takes the values of rows, one after the other, as its database stores them.
pub(crate) trait Cells {
    fn put<'q, T>(&mut self, value: T) -> Result<(), BoxDynError>
    where
        T: Encode<'q, Postgres> + Type<Postgres> + Encode<'q, Sqlite> + Type<Sqlite>;
}

/// One declaration for a row: its columns and where their values are.
macro_rules! columns {
    ($table:literal of $type:ty as $row:ident: $($column:ident = $value:expr),+ $(,)?) => {
        impl Row for $type {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            fn put(self, cells: &mut impl Cells) -> Result<(), BoxDynError> {
                let $row = self;
                $(cells.put($value)?;)+
                Ok(())
            }
        }
    };
}

columns!("users" of Credentials as row:
    id = row.user.id, username = row.user.username, email = row.user.email,
    hashed_password = row.hashed_password.expose_secret(), role = row.user.role, is_active = row.user.is_active,
    full_name = row.user.full_name, created_at = row.user.created_at, updated_at = row.user.updated_at,
    last_login = row.user.last_login);

columns!("sessions" of Session as row:
    id = row.id, user_id = row.user_id, thread_id = row.thread_id, context = row.context, title = row.title,
    is_active = row.is_active, created_at = row.created_at, updated_at = row.updated_at, ended_at = row.ended_at);

columns!("audit_logs" of AuditLog as row:
    id = row.id, user_id = row.user_id, username = row.username, action = row.action, details = row.details, description = row.description,
    ip_address = row.ip_address, user_agent = row.user_agent, success = row.success, timestamp = row.timestamp);

/// How many rows the table has.
pub(crate) async fn count<R: Row>(db: &Db) -> Result<u64> {
    let text = format!("select count(*) from {}", R::TABLE);
    let count: i64 = run!(db, connection => query_scalar(AssertSqlSafe(text)).fetch_one(connection).await)?;
    u64::try_from(count).map_err(Error::internal)
}

/// Which of these ids the table has, in no order.
pub(crate) async fn existing<R: Row>(db: &Db, ids: &[Uuid]) -> Result<Vec<AnyId>> {
    run!(db, connection => {
        let mut q = QueryBuilder::new(format!("select t.id from {} t where t.id ", R::TABLE));
        Dialect::push_one_of_ids(&mut q, ids);
        q.build_query_scalar().fetch_all(connection).await
    })
}

/// Adds all the rows, saying now and then how many more there are. A row that the table refuses is an error that
/// says which.
pub(crate) async fn pour<R: Row>(
    tx: &mut Tx,
    rows: impl Iterator<Item = R>,
    poured: &mut (dyn FnMut(u64) + Send),
) -> Result<()> {
    dialect::bulk::pour(tx, rows, poured).await.map_err(|cause| dialect::bulk::refused(R::TABLE, cause))
}

/// What was taken away from a table, to be put back before the transaction ends.
#[derive(Debug)]
pub(crate) struct Aside {
    table: &'static str,
    /// Each part's name for `drop` and for `create`, exactly as the database tells them.
    parts: Vec<(String, String)>,
}

/// Takes away the table's indexes, keys and foreign keys as far as the database can do without: to make an index of many rows at the end is
/// several times quicker than to extend it row by row. Nobody else can use the table until the transaction ends.
/// Of a table that belongs to another role nothing is taken, as it could not be put back.
pub(crate) async fn set_aside<R: Row>(tx: &mut Tx) -> Result<Aside> {
    let aside = Aside { table: R::TABLE, parts: parts(tx, R::TABLE).await? };
    for (drop, _) in &aside.parts {
        run(tx, drop.clone()).await.map_err(|cause| dialect::bulk::refused(R::TABLE, cause))?;
    }
    Ok(aside)
}

/// Puts everything back under its own name, and makes sure of it. A row that breaks a rule of the table is an error.
pub(crate) async fn put_back(tx: &mut Tx, aside: Aside) -> Result<()> {
    for (_, create) in &aside.parts {
        run(tx, create.clone()).await.map_err(|cause| dialect::bulk::refused(aside.table, cause))?;
    }
    if parts(tx, aside.table).await? == aside.parts {
        Ok(())
    } else {
        Err(Error::internal(format!("the indexes of {} are not what they were; nothing was changed", aside.table)))
    }
}

/// Counts the values of the table, so that the database plans by the new ones.
pub(crate) async fn analyze<R: Row>(tx: &mut Tx) -> Result<()> {
    Ok(run(tx, format!("analyze {}", R::TABLE)).await?)
}

/// After the commit: notes which pages hold rows that everybody may see, so that an index alone can answer. It is only
/// for speed, so what cannot be done is told to the log.
pub(crate) async fn tidy(db: &Db, tables: impl Iterator<Item = &'static str>) {
    for table in tables {
        let Some(tidy) = db.texts().tidy else { return };
        let text = format!("{tidy} {table}");
        let done: Result<u64> = run!(db, connection => raw_sql(AssertSqlSafe(text))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()));
        if let Err(error) = done {
            tracing::warn!(error = error.chain(), table, "the table is filled, but not tidied up");
        }
    }
}

/// Settings for a transaction with a lot of work.
pub(crate) async fn prepare(tx: &mut Tx) -> Result<()> {
    for setting in tx.texts().bulk_settings {
        run(tx, (*setting).to_owned()).await?;
    }
    Ok(())
}

async fn parts(tx: &mut Tx, table: &str) -> Result<Vec<(String, String)>> {
    let text = tx.texts().removable_parts;
    run!(tx, connection => query_as(text).bind(table).fetch_all(connection).await)
}

/// Statements without a result, as the server's own catalogue or this file's constants gave them.
async fn run(tx: &mut Tx, statement: String) -> sqlx::Result<()> {
    dialect::bulk::run(tx, statement).await
}
