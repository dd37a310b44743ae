//! The GraphQL API: schema, resolvers, access rules and pagination. It reads through [`crate::db`] and writes through
//! [`crate::services`]; it contains no SQL and no HTTP.
//!
//! [`pipeline`] is the path of a request. It passes [`document`] (parsing, limits, complexity), [`admission`] (rate limits,
//! introspection), [`validation`] and [`execution`], which runs the resolvers: [`query`], [`mutation`] and [`types`]. They use
//! [`access`] rules, [`connection`]s with [`inputs`] and [`paging`], [`field`] definitions, and [`loaders`]. Lists of defined
//! fields take the [`fast_path`]. [`schema`] joins these parts.

pub mod access;
mod admission;
mod connection;
mod document;
mod enums;
mod error;
mod execution;
mod fast_path;
mod field;
mod idempotency;
mod inputs;
mod loaders;
mod mutation;
mod nullable;
mod page_size;
mod paging;
mod pipeline;
mod query;
mod receipt;
mod request;
mod scalars;
mod schema;
mod sdl;
mod types;
mod unused_scalars;
mod validation;

pub use self::{
    document::{Document, DocumentHash, variables},
    error::{error_response, retry_after},
    execution::{ExecutionResult, RequestContext},
    receipt::Usage,
    request::{DocumentSource, GraphqlRequest, GraphqlResponse, Outcome, Rejection, Step},
    schema::GraphqlApi,
};
