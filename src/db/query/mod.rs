//! Lists: what a page of rows is asked for with, as plain data, and the builder that turns it into SQL.

pub mod filter;
pub(in crate::db) mod list;
pub mod network;
pub mod page;
pub(in crate::db) mod rows;
