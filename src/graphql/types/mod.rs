//! The output types: resolvers on the domain's own types. What a type shows is listed here, field by field.

mod access_rule;
mod api_token;
mod audit_log;
mod audit_log_stats;
mod auth_session;
mod node;
mod rate_limit;
mod session;
mod user;

pub use self::{
    access_rule::{AccessRule, Scope, access_matrix},
    audit_log::AuditAction,
    audit_log_stats::AuditLogStats,
    node::{Node, Visible},
    rate_limit::RateLimit,
    user::Role,
};
