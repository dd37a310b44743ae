//! The GraphQL API: schema, resolvers, guards and paging. It reads by [`crate::db`] and writes by [`crate::services`];
//! no SQL and no HTTP here.

pub mod access;
mod connection;
mod context;
mod cursor;
mod document;
mod error;
mod inputs;
mod loaders;
mod mutation;
mod query;
mod scalars;
mod types;

use async_graphql::{EmptySubscription, Response, Schema, SchemaBuilder, Value, Variables};

pub use self::{
    context::RequestContext,
    document::{Document, check_variables},
    error::{Receipt, refused},
};
use self::{mutation::Mutation, query::Query};

/// The schema with its resolvers. Cheap to clone.
#[derive(Clone)]
pub struct Api(Schema<Query, Mutation, EmptySubscription>);

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Default for Api {
    fn default() -> Self {
        let builder: SchemaBuilder<_, _, _> = Schema::build(Query, Mutation::default(), EmptySubscription);
        Self(builder.register_output_type::<types::Node>().finish())
    }
}

/// A checked document with what it is to be run with.
#[derive(Debug)]
pub struct Request {
    pub document: Document,
    pub variables: Variables,
    pub context: RequestContext,
    pub request_id: String,
}

/// An answer, and whether anything was executed: a request that failed validation has no `data` at all.
#[derive(Debug)]
pub struct Answer {
    pub response: Response,
    pub executed: bool,
}

impl Api {
    /// The schema in the schema definition language, as it stands in `schema.graphql`.
    #[must_use]
    pub fn sdl(&self) -> String {
        self.0.sdl()
    }

    /// Executes a request. Every error of the answer has a code.
    pub async fn execute(&self, request: Request) -> Answer {
        let (document, operation_name) = request.document.into_parts();
        let mut run = async_graphql::Request::new("").variables(request.variables).data(request.context);
        run.set_parsed_query(document);
        run.operation_name = operation_name;
        // Loaders take locks, and tokio makes a task pause after so many: siblings after the pause would miss the batch.
        let mut response = tokio::task::coop::unconstrained(self.0.execute(run)).await;
        // Resolvers leave a path; a null without any is a document that did not fit the schema.
        let executed = response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty());
        error::finish(&mut response, &request.request_id);
        Answer { response, executed }
    }
}
