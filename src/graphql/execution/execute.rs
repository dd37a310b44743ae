//! Executes one operation by the specification's section "Execution". What async-graphql does differently is corrected before
//! and after it runs the operation.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{
    Executor as SchemaExecutor, Name, Pos, Request, Response, ServerError, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, TypeSystemDefinition},
    },
};

use super::{null_propagation, omitted_variables, request_context::RequestContext, typename};
use crate::graphql::{
    document::{Document, SchemaTypes, Sources, checked},
    error,
    validation::{Inputs, literals},
};

/// A schema and what the execution of its operations needs.
pub struct Executor<S> {
    pub schema: S,
    /// The same schema for documents that were validated before.
    schema_without_validation: S,
    pub documents: Sources,
    pub types: SchemaTypes,
    inputs: Inputs,
}

impl<S: SchemaExecutor> Executor<S> {
    pub fn new(schema: S, schema_without_validation: S, definitions: Vec<TypeSystemDefinition>) -> Self {
        let types = SchemaTypes::new(&definitions);
        let inputs = Inputs::of(definitions);
        Self { schema, schema_without_validation, documents: Sources::default(), types, inputs }
    }

    /// Validates the document, coerces the variables and executes the operation. Returns a request error if the document or the
    /// variables are invalid.
    pub async fn execute(
        &self,
        document: &Document,
        variables: Variables,
        context: Arc<RequestContext>,
        request_id: &str,
    ) -> Response {
        let (source, operation_name) = (document.source(), document.operation_name());
        let mut parsed = source.parsed.clone();
        typename::move_directives_to_fragments(&mut parsed);
        if source.not_null().is_none() {
            tracing::trace!(target: "request_path", "validate");
            match self.validate(&source.text, &parsed).await {
                Ok(not_null) => self.documents.keep(source, not_null),
                Err(errors) => return Response::from_errors(error::validation_errors(errors)),
            }
        }
        let operation = match checked::operation(&parsed, operation_name) {
            Ok(operation) => operation,
            Err(error) => return error::error_response(&error, request_id),
        };
        tracing::trace!(target: "request_path", "coerce");
        let values = match self.inputs.coerce(&operation.node, variables, source.not_null()) {
            Ok(values) => values,
            Err(errors) => {
                return Response::from_errors(
                    errors.iter().map(|error| error::server_error(error, request_id)).collect(),
                );
            }
        };
        let omitted = omitted_variables::omitted_variables(&operation.node, &values);
        if !omitted.is_empty() {
            parsed = omitted_variables::remove_omitted(operation.clone(), parsed.fragments, &omitted);
        }
        let mut run = Request::new("").variables(values.clone()).data(context);
        run.set_parsed_query(parsed);
        // `remove_omitted` leaves only this operation.
        run.operation_name = operation_name.filter(|_| omitted.is_empty()).map(str::to_owned);
        tracing::trace!(target: "request_path", "execute");
        // Loaders take locks, and tokio's cooperative budget would pause the task after some: later siblings would miss the batch.
        let mut response = tokio::task::coop::unconstrained(self.schema_without_validation.execute(run)).await;
        if !response.errors.is_empty()
            && let Ok(operation) = checked::operation(&source.parsed, operation_name)
        {
            null_propagation::propagate_nulls(&mut response, &source.parsed, &operation.node, &values, &self.types);
        }
        response
    }

    /// Validates a document for all values of its variables. Returns the definitions of variables whose type is nullable but that
    /// must not be null. What async-graphql does not check is checked after it has found no error.
    async fn validate(&self, text: &str, document: &ExecutableDocument) -> Result<HashSet<Pos>, Vec<ServerError>> {
        let errors = self.validate_only(document.clone()).await.errors;
        if !errors.is_empty() {
            return Err(errors);
        }
        let (mut errors, usages) = literals::check(document, &self.inputs, &self.types);
        errors.extend(usages.misplaced());
        errors.extend(literals::given_twice(text));
        if errors.is_empty() {
            errors.extend(checked::large_integer(text).map(|error| error::server_error(&error, "")));
        }
        if errors.is_empty() { Ok(usages.loose()) } else { Err(errors) }
    }

    /// Validates a document with async-graphql without executing it: the operation that runs is appended and selects nothing.
    async fn validate_only(&self, mut document: ExecutableDocument) -> Response {
        let mut operations = match document.operations {
            DocumentOperations::Single(operation) => HashMap::from([(Name::new(""), operation)]),
            DocumentOperations::Multiple(operations) => operations,
        };
        let mut name = "ValidateOnly".to_owned();
        while operations.contains_key(name.as_str()) {
            name.push('_');
        }
        let empty = parse_query("{ __typename }").expect("this is GraphQL").operations;
        if let DocumentOperations::Single(empty) = empty {
            operations.insert(Name::new(&name), empty);
        }
        document.operations = DocumentOperations::Multiple(operations);
        let mut request = Request::new("").operation_name(name);
        request.set_parsed_query(document);
        self.schema.execute(request).await
    }
}
