//! Which table an id belongs to: ids are unique across tables, but do not say where they are from.

use sqlx::{FromRow, QueryBuilder, Row};
use uuid::Uuid;

use super::{Db, dialect::Dialect, on};
use crate::{
    error::Result,
    model::{AnyId, ApiTokenId, AuditLogId, AuthSessionId, SessionId, UserId},
};

/// An id with its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeId {
    User(UserId),
    Session(SessionId),
    AuditLog(AuditLogId),
    AuthSession(AuthSessionId),
    ApiToken(ApiTokenId),
}

impl NodeId {
    /// The bare id.
    #[must_use]
    pub fn id(self) -> Uuid {
        match self {
            Self::User(id) => id.into(),
            Self::Session(id) => id.into(),
            Self::AuditLog(id) => id.into(),
            Self::AuthSession(id) => id.into(),
            Self::ApiToken(id) => id.into(),
        }
    }
}

/// The tables that hold these ids, in no order; unknown ids are left out.
pub async fn list_of(db: &Db, ids: &[Uuid]) -> Result<Vec<NodeId>> {
    on!(db, connection => select(ids).build_query_as().fetch_all(connection).await)
}

fn select<DB: Dialect>(ids: &[Uuid]) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new("select 'users', t.id from users t where t.id ");
    DB::push_one_of_ids(&mut q, ids);
    for table in ["sessions", "audit_logs", "auth_sessions", "api_tokens"] {
        q.push(format_args!(" union all select '{table}', t.id from {table} t where t.id "));
        DB::push_one_of_ids(&mut q, ids);
    }
    q
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
            "users" => Self::User(UserId(id)),
            "sessions" => Self::Session(SessionId(id)),
            "audit_logs" => Self::AuditLog(AuditLogId(id)),
            "auth_sessions" => Self::AuthSession(AuthSessionId(id)),
            _ => Self::ApiToken(ApiTokenId(id)),
        })
    }
}
