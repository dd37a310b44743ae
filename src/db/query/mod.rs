//! Lists: a page of rows and its filter as plain data (`filter`, `network`, `page`, `table`), and the builder that turns
//! them into SQL (`select`, `sql_filter`) and reads the rows (`rows`).

mod filter;
mod network;
mod page;
pub(in crate::db) mod rows;
pub(in crate::db) mod select;
pub(in crate::db) mod sql_filter;
mod table;

pub(in crate::db) use self::{filter::generic_plan_is_safe, network::prefix_range, page::SortKind};
pub use self::{
    filter::{Column, Filter, Predicate, TimeComparison},
    network::Network,
    page::{ListQuery, Order, Page, PageRequest, Position, SortColumn, SortValue},
    table::Table,
};
