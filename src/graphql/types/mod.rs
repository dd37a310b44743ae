//! The output types: resolvers on the domain's own types. What a type shows is listed here, field by field.

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

/// The fields below the roots whose resolvers check an access rule.
pub const GUARDED_FIELDS: &[&str] =
    &["User.email", "User.lastLogin", "User.sessions", "User.auditLogs", "User.authSessions", "User.apiTokens"];
