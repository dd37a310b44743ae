//! From the text of a document to a checked operation: limits, parsing, cache, persisted queries, complexity.

mod cache;
pub(in crate::graphql) mod checked;
mod client_json;
mod complexity;
mod limits;
mod persisted;
pub(in crate::graphql) mod schema_types;
pub(in crate::graphql) mod tokens;

pub(in crate::graphql) use self::{cache::Sources, client_json::Plain, schema_types::SchemaTypes};
pub use self::{
    checked::Document,
    client_json::{canonical_request, variables},
    limits::IdempotencyMode,
    persisted::{DocumentHash, PersistedQueries},
};
