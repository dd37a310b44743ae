//! The types of the domain: ids, roles, times, and the rows of the tables. No SQL and no GraphQL; both map to these types.

mod api_token;
mod audit_log;
mod auth_session;
mod ids;
mod interval;
mod raw_json;
mod session;
mod text_enum;
mod timestamp;
mod user;

pub use self::{
    api_token::{ApiToken, Scope, Scopes},
    audit_log::{AuditAction, AuditLog},
    auth_session::AuthSession,
    ids::{AnyId, ApiTokenId, AuditLogId, AuthSessionId, KeyId, SessionId, UserId},
    interval::Interval,
    raw_json::RawJson,
    session::Session,
    text_enum::UnknownText,
    timestamp::{InvalidTimestamp, Timestamp},
    user::{Credentials, Role, User},
};
