//! Connections: opening them, pooling them, bounding what a statement may take, and counting what a request reads.

mod connect;
mod connect_error;
mod connections;
mod deadline;
mod meter;
mod statement_permits;

pub use self::{connect::Settings, meter::Meter};
pub(in crate::db) use self::{
    connections::{Connections, Lease, Reused, StatementError},
    meter::RowCount,
    statement_permits::{Permit, Statements},
};
