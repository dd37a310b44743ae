//! Database connections: opening and pooling them, limiting what a statement may take, and counting what a request reads.

mod connect;
mod connect_error;
mod connection_pool;
mod managed_connection;
mod meter;
mod pooled_connection;
mod postgres;
mod sqlite;
mod statement_permits;

pub use self::{connect::Settings, meter::Meter};
pub(in crate::db) use self::{
    connection_pool::Pool,
    managed_connection::{PooledDatabase, StatementError},
    meter::RowCount,
    pooled_connection::PooledConnection,
    statement_permits::{StatementPermit, StatementPermits},
};
