//! The output types.

mod api_token;
mod audit_log;
mod audit_log_stats;
mod auth_session;
mod node;
mod rate_limit;
mod session;
mod user;

pub use self::{
    audit_log_stats::AuditLogStats,
    node::{Node, Visible},
    rate_limit::RateLimit,
};
use super::field::FieldDefinitions;
use crate::model::{ApiToken, AuditLog, AuthSession, Session, User};

/// The coordinates of the field definitions that have an access rule.
pub fn guarded_fields() -> Vec<String> {
    [User::guarded(), Session::guarded(), AuditLog::guarded(), AuthSession::guarded(), ApiToken::guarded()].concat()
}
