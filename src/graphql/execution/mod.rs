//! Running a checked operation: request context, omitted variables, null propagation and the response.

mod execute;
mod json_writer;
mod null_propagation;
mod omitted_variables;
mod request_context;
pub(in crate::graphql) mod response_size;
mod typename;

pub use self::request_context::RequestContext;
pub(in crate::graphql) use self::{json_writer::Json, request_context::ContextExt};
