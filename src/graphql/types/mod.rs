//! The output types: resolvers on the domain's own types. What a type shows is listed here, field by field.

mod audit_log;
mod node;
mod rate_limit;
mod session;
mod user;

pub use self::{
    node::{Node, Visible},
    rate_limit::RateLimit,
    user::Role,
};
