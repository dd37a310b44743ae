//! The output types: resolvers on the domain's own types. What a type shows is listed here, field by field.

mod audit_log;
mod audit_log_stats;
mod node;
mod session;
mod user;

pub use self::{
    audit_log::AuditAction,
    audit_log_stats::AuditLogStats,
    node::{Node, Visible},
    user::Role,
};
