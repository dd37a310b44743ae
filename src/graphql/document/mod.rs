//! From the text of a document to a checked operation. The parts run in this order:
//!
//! 1. [`persisted`]: finds the document of a persisted query by its hash.
//! 2. [`cache`]: finds a document that was parsed before.
//! 3. [`checked`]: limits tokens and nesting before parsing, parses, and selects the operation.
//! 4. [`analysis`]: limits the size of the document ([`limits`]), the root fields ([`root_fields`]), and depth, aliases and
//!    [`complexity`].

mod analysis;
mod argument_values;
mod cache;
pub(in crate::graphql) mod checked;
mod client_json;
mod complexity;
mod limit_error;
mod limits;
mod persisted;
mod root_fields;
mod schema_types;
pub(in crate::graphql) mod tokens;

pub(in crate::graphql) use self::{
    cache::Sources,
    client_json::{ClientJson, canonical_request},
    persisted::PersistedQueries,
    root_fields::IdempotencyMode,
    schema_types::{SchemaField, SchemaTypes},
};
pub use self::{checked::Document, client_json::variables, persisted::DocumentHash};
