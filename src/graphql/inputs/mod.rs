//! The input types of lists: filters and orders, and their conversion to the database's.

mod audit_log;
mod filter;
mod ip_address;
mod not_given;
mod operators;
mod order;
mod session;
mod user;

pub use self::{
    audit_log::{AuditLogFilter, AuditLogOrder},
    filter::{FilterInput, SizeLimit},
    not_given::NotGiven,
    session::{SessionFilter, SessionOrder},
    user::{UserFilter, UserOrder},
};
