//! Lists: a page of rows and its filter as plain data, and the builder that turns them into SQL.

pub(in crate::db) mod filter;
pub(in crate::db) mod list;
pub mod network;
pub(in crate::db) mod page;
pub(in crate::db) mod rows;

pub use self::{
    filter::{Column, Filter, Predicate, TimeComparison},
    page::{ListQuery, Order, Page, PageRequest, Position, SortColumn, SortValue},
};
