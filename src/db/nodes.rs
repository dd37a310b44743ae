//! Which table an id belongs to: ids are unique across tables, but do not say where they are from.

use sqlx::{FromRow, Row, query_as};

use super::{Db, on};
use crate::{
    error::Result,
    model::{AnyId, AuditLogId, SessionId, UserId},
};

/// An id with its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeId {
    User(UserId),
    Session(SessionId),
    AuditLog(AuditLogId),
}

const FIND: &str = "
    select 'user', id from users where id = $1
    union all select 'session', id from sessions where id = $1
    union all select 'audit_log', id from audit_logs where id = $1
    limit 1";

/// Finds the table that holds the id.
pub async fn find(db: &Db, id: AnyId) -> Result<Option<NodeId>> {
    on!(db, pool => query_as::<_, NodeId>(FIND).bind(id).fetch_optional(pool).await)
}

impl<'r, R: Row> FromRow<'r, R> for NodeId
where
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    AnyId: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let table: String = row.try_get(0)?;
        let AnyId(id) = row.try_get(1)?;
        Ok(match table.as_str() {
            "user" => Self::User(UserId(id)),
            "session" => Self::Session(SessionId(id)),
            _ => Self::AuditLog(AuditLogId(id)),
        })
    }
}
