//! The direction of an order.

use async_graphql::Enum;

/// The direction of an order.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum OrderDirection {
    /// Ascending: oldest first, A before Z.
    Asc,
    /// Descending: newest first, Z before A.
    Desc,
}
