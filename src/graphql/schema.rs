//! The GraphQL schema with its resolvers, and the path of a request through it.

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema, SchemaBuilder, ValidationMode, Variables, parser::parse_schema};

use super::{
    access::{AccessRules, Guarded},
    admission,
    document::{Document, PersistedQueries},
    error,
    execution::{ExecutionResult, Executor, RequestContext},
    mutation::Mutation,
    query::Query,
    sdl, types, unused_scalars,
};
use crate::{config::DocumentLimits, error::Result};

type ApiSchema = Schema<Guarded<Query>, Guarded<Mutation>, EmptySubscription>;

/// The GraphQL API. Cheap to clone.
#[derive(Clone)]
pub struct GraphqlApi {
    executor: Arc<Executor<ApiSchema>>,
    pub persisted: Arc<PersistedQueries>,
}

/// A checked document with everything that its execution needs.
#[derive(Debug)]
pub struct Request {
    pub document: Document,
    pub variables: Variables,
    pub context: RequestContext,
    pub request_id: String,
}

impl std::fmt::Debug for GraphqlApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphqlApi").finish_non_exhaustive()
    }
}

impl Default for GraphqlApi {
    fn default() -> Self {
        // Our own limits bound the recursion before async-graphql sees a document.
        let builder = || -> SchemaBuilder<_, _, _> {
            Schema::build(Guarded(Query), Guarded(Mutation::default()), EmptySubscription)
                .register_output_type::<types::Node>()
                .register_output_type::<unused_scalars::WithoutUnusedScalars>()
                .limit_recursive_depth(usize::MAX)
        };
        let schema = builder().finish();
        let definitions = parse_schema(schema.sdl()).expect("the SDL of our own schema is GraphQL").definitions;
        let rules = Arc::new(AccessRules::of(&definitions, &types::guarded_fields()));
        let schema_without_validation = builder().validation_mode(ValidationMode::Fast).data(rules).finish();
        Self {
            executor: Arc::new(Executor::new(schema, schema_without_validation, definitions)),
            persisted: Arc::default(),
        }
    }
}

impl GraphqlApi {
    /// The schema in the schema definition language, as in `schema.graphql`.
    #[must_use]
    pub fn sdl(&self) -> String {
        sdl::of(&self.executor.schema)
    }

    /// Parses a document and checks it against the limits. Makes no database access.
    pub fn document(
        &self,
        text: &str,
        operation_name: Option<String>,
        variables: &Variables,
        limits: &DocumentLimits,
    ) -> Result<Document> {
        let Executor { types, documents, .. } = &*self.executor;
        Document::parse(text, operation_name, variables, types, limits, documents)
    }

    /// Admits, validates and executes a request. Every error of the result has a code.
    pub async fn execute(&self, request: Request) -> ExecutionResult {
        let Request { document, variables, mut context, request_id } = request;
        context.fast_path_eligible = document.source().plain;
        let admitted = admission::admit(&document, &mut context);
        let context = Arc::new(context);
        if let Err(error) = admitted {
            let result = ExecutionResult::new(&document, error::error_response(&error, &request_id));
            context.record_access_denial(&result.response.errors).await;
            return result;
        }
        let response = self.executor.execute(&document, variables, Arc::clone(&context), &request_id).await;
        let mut result = ExecutionResult::new(&document, response);
        result.limit_size(context.db.meter(), &request_id);
        context.record_access_denial(&result.response.errors).await;
        if !result.executed {
            admission::redact_validation_errors(&mut result.response.errors, &context);
        }
        error::finalize_errors(&mut result.response, &request_id);
        result
    }
}
