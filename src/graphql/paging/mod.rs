//! Keyset pagination in GraphQL: the types that connections list, the arguments of a list field, and cursors.

mod arguments;
mod cursor;
mod node;

pub use self::{
    arguments::{list_arguments, list_query},
    node::{ConnectionNode, connection_name, cursor_of, edge_name},
};
