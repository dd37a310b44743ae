//! One operation from its variables to its answer, by the specification's section "Execution"; what the library does
//! otherwise is put right around it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{
    Name, Pos, Request, Response, ServerError, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument},
    },
};

use super::{null_propagation, omitted_variables, typename};
use crate::graphql::{
    GraphqlApi, RequestContext,
    document::{Document, checked},
    error,
    validation::literals,
};

impl GraphqlApi {
    /// Runs a document's operation, unless the document or the variables do not fit the schema.
    pub(in crate::graphql) async fn run(
        &self,
        document: Document,
        variables: Variables,
        context: Arc<RequestContext>,
        request_id: &str,
    ) -> Response {
        let (source, operation_name) = document.into_parts();
        let mut parsed = source.parsed.clone();
        typename::wrap(&mut parsed);
        if source.not_null().is_none() {
            match self.validate(&source.text, &parsed).await {
                Ok(not_null) => self.sources.keep(&source, not_null),
                Err(errors) => return Response::from_errors(error::validation_errors(errors)),
            }
        }
        let operation = match checked::operation(&parsed, operation_name.as_deref()) {
            Ok(operation) => operation,
            Err(error) => return error::error_response(&error, request_id),
        };
        let values = match self.inputs.coerce(&operation.node, variables, source.not_null()) {
            Ok(values) => values,
            Err(errors) => {
                return Response::from_errors(
                    errors.iter().map(|error| error::server_error(error, request_id)).collect(),
                );
            }
        };
        let absent = omitted_variables::variables(&operation.node, &values);
        if !absent.is_empty() {
            parsed = omitted_variables::without(operation.clone(), parsed.fragments, &absent);
        }
        let mut run = Request::new("").variables(values.clone()).data(context);
        run.set_parsed_query(parsed);
        // Without what is absent, the operation is alone.
        run.operation_name = operation_name.clone().filter(|_| absent.is_empty());
        // Loaders take locks, and tokio makes a task pause after so many: siblings after the pause would miss the batch.
        let mut response = tokio::task::coop::unconstrained(self.schema_without_validation.execute(run)).await;
        if !response.errors.is_empty()
            && let Ok(operation) = checked::operation(&source.parsed, operation_name.as_deref())
        {
            null_propagation::settle(&mut response, &source.parsed, &operation.node, &values, &self.shapes);
        }
        response
    }

    /// The definitions of variables that must not be null although their types allow it; or what is wrong with the document,
    /// whatever the variables will be. What the library lets pass is looked for when it found nothing.
    async fn validate(&self, text: &str, document: &ExecutableDocument) -> Result<HashSet<Pos>, Vec<ServerError>> {
        let errors = self.by_the_library(document.clone()).await.errors;
        if !errors.is_empty() {
            return Err(errors);
        }
        let (mut errors, usages) = literals::check(document, &self.inputs, &self.shapes);
        errors.extend(usages.misplaced());
        errors.extend(literals::given_twice(text));
        if errors.is_empty() {
            errors.extend(checked::large_integer(text).map(|error| error::server_error(&error, "")));
        }
        if errors.is_empty() { Ok(usages.loose()) } else { Err(errors) }
    }

    /// Has the library validate a document and run nothing of it: what runs is a further operation, which asks for
    /// nothing.
    async fn by_the_library(&self, mut document: ExecutableDocument) -> Response {
        let mut operations = match document.operations {
            DocumentOperations::Single(operation) => HashMap::from([(Name::new(""), operation)]),
            DocumentOperations::Multiple(operations) => operations,
        };
        let mut name = "Nothing".to_owned();
        while operations.contains_key(name.as_str()) {
            name.push('_');
        }
        let nothing = parse_query("{ __typename }").expect("this is GraphQL").operations;
        if let DocumentOperations::Single(nothing) = nothing {
            operations.insert(Name::new(&name), nothing);
        }
        document.operations = DocumentOperations::Multiple(operations);
        let mut request = Request::new("").operation_name(name);
        request.set_parsed_query(document);
        self.schema.execute(request).await
    }
}
