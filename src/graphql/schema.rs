//! The GraphQL schema with its resolvers.

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema, SchemaBuilder, ValidationMode, parser::parse_schema};

use super::{
    access::{AccessRules, Guarded},
    document::PersistedQueries,
    execution::Executor,
    mutation::Mutation,
    query::Query,
    sdl, types, unused_scalars,
};
type ApiSchema = Schema<Guarded<Query>, Guarded<Mutation>, EmptySubscription>;

/// The GraphQL API. Cheap to clone.
#[derive(Clone)]
pub struct GraphqlApi {
    pub(super) executor: Arc<Executor<ApiSchema>>,
    pub(super) persisted: Arc<PersistedQueries>,
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
}
