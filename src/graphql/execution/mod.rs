//! Running a checked operation. The parts run in this order:
//!
//! 1. [`execute`]: validates the document once, coerces the variables, and runs the operation on async-graphql's executor.
//!    Before that, [`typename`] and [`omitted_variables`] rewrite what async-graphql treats differently from the specification.
//! 2. [`request_context`]: what resolvers can access.
//! 3. [`null_propagation`]: corrects field errors and nulls.
//! 4. [`response`]: the result, within its size limit ([`response_size`]), as JSON text ([`json_writer`]).

mod execute;
mod json_writer;
mod null_propagation;
mod omitted_variables;
mod request_context;
mod response;
mod response_size;
mod typename;

pub(in crate::graphql) use self::{execute::Executor, json_writer::Json, request_context::ContextExt};
pub use self::{request_context::RequestContext, response::ExecutionResult};
