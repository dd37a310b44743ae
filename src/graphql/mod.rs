//! The GraphQL API: schema, resolvers, guards and paging. It reads by [`crate::db`] and writes by [`crate::services`];
//! no SQL and no HTTP here.

pub mod access;
mod admission;
mod connection;
mod cursor;
mod document;
mod enums;
mod error;
mod execution;
mod fast_path;
mod inputs;
mod loaders;
mod mutation;
mod nullable;
mod query;
mod scalars;
mod sdl;
mod types;
mod unused_scalars;
mod validation;

use std::sync::Arc;

use async_graphql::{
    EmptySubscription, Response, Schema, SchemaBuilder, ServerError, ValidationMode, Value, Variables,
    parser::parse_schema,
};

use self::{
    access::{AccessRules, Guarded},
    document::{SchemaTypes, Sources},
    mutation::Mutation,
    query::Query,
    validation::Inputs,
};
pub use self::{
    document::{Document, DocumentHash, IdempotencyMode, PersistedQueries, canonical_request, variables},
    error::{Receipt, error_response, retry_after},
    execution::RequestContext,
};
use crate::{
    config::DocumentLimits,
    db::Meter,
    error::{Error, Result},
};

type ApiSchema = Schema<Guarded<Query>, Guarded<Mutation>, EmptySubscription>;

/// The schema with its resolvers. Cheap to clone.
#[derive(Clone)]
pub struct GraphqlApi {
    schema: ApiSchema,
    /// The same without validation, for documents that are known to fit.
    schema_without_validation: ApiSchema,
    sources: Arc<Sources>,
    shapes: Arc<SchemaTypes>,
    inputs: Arc<Inputs>,
    /// Documents that are known by their hash.
    pub persisted: Arc<PersistedQueries>,
}

impl std::fmt::Debug for GraphqlApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphqlApi").finish_non_exhaustive()
    }
}

impl Default for GraphqlApi {
    fn default() -> Self {
        // `limits` bounds the recursion before the library sees it, by a setting of ours.
        let builder = || -> SchemaBuilder<_, _, _> {
            Schema::build(Guarded(Query), Guarded(Mutation::default()), EmptySubscription)
                .register_output_type::<types::Node>()
                .register_output_type::<unused_scalars::WithoutUnusedScalars>()
                .limit_recursive_depth(usize::MAX)
        };
        let schema = builder().finish();
        let definitions = parse_schema(schema.sdl()).expect("the SDL of our own schema is GraphQL").definitions;
        let rules = Arc::new(AccessRules::of(&definitions, types::GUARDED_FIELDS));
        let schema_without_validation = builder().validation_mode(ValidationMode::Fast).data(rules).finish();
        Self {
            schema,
            schema_without_validation,
            sources: Arc::default(),
            shapes: Arc::new(SchemaTypes::of(&definitions)),
            inputs: Arc::new(Inputs::of(definitions)),
            persisted: Arc::default(),
        }
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
pub struct ExecutionResult {
    pub response: Response,
    pub executed: bool,
    /// What the operation cost.
    pub complexity: u64,
    /// How many fields it has at its root.
    root_fields: usize,
    is_query: bool,
}

impl ExecutionResult {
    /// The answer as JSON text; of one that is too large, only the error that says so.
    pub fn text(&self, meter: &Meter, request_id: &str) -> Result<String> {
        execution::response_size::text(&self.response, meter, self.is_query, request_id).map_err(Error::internal)
    }

    /// The answer as JSON text, without what belongs to one request only.
    pub fn without_extensions(&self) -> Result<String> {
        execution::Json::without_extensions(&self.response)
    }

    /// Whether it says no more than to come back later: nothing was done, as the one field that there was failed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let later = |error: &ServerError| retry_after(error).is_some();
        self.root_fields == 1 && !self.response.errors.is_empty() && self.response.errors.iter().all(later)
    }
}

impl GraphqlApi {
    /// The schema in the schema definition language, as it stands in `schema.graphql`.
    #[must_use]
    pub fn sdl(&self) -> String {
        sdl::of(&self.schema)
    }

    /// Parses a document and holds it against the limits; nothing is asked of the database.
    pub fn document(
        &self,
        text: &str,
        operation_name: Option<String>,
        variables: &Variables,
        limits: &DocumentLimits,
    ) -> Result<Document> {
        Document::parse(text, operation_name, variables, &self.shapes, limits, &self.sources)
    }

    /// Executes a request whose caller may ask this, and has some of the minute's budget left. Every error of the
    /// answer has a code.
    pub async fn execute(&self, request: Request) -> ExecutionResult {
        let (complexity, root_fields) = (request.document.complexity(), request.document.root_fields());
        let is_query = request.document.is_query();
        let Request { document, variables, mut context, request_id } = request;
        context.plain = document.source().plain;
        let admitted = admission::admit(&document, &mut context);
        let context = Arc::new(context);
        if let Err(error) = admitted {
            let response = error_response(&error, &request_id);
            context.note_refusals(&response.errors).await;
            return ExecutionResult { response, executed: false, complexity, root_fields, is_query };
        }
        let may_introspect = admission::check_introspection(&context).is_ok();
        let mut response = self.run(document, variables, Arc::clone(&context), &request_id).await;
        // Resolvers leave a path; a null without any is a document that did not fit the schema.
        let executed = response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty());
        if context.db.meter().is_exhausted() {
            execution::response_size::refuse(&mut response, context.db.meter(), is_query, &request_id);
        }
        context.note_refusals(&response.errors).await;
        if !executed {
            admission::redact_validation_errors(&mut response.errors, may_introspect);
        }
        error::finalize_errors(&mut response, &request_id);
        ExecutionResult { response, executed, complexity, root_fields, is_query }
    }
}
