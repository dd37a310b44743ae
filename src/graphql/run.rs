//! One operation from its variables to its answer, by the specification's section "Execution"; what the library does
//! otherwise is put right around it.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Name, Request, Response, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument},
    },
};

use super::{
    Api, RequestContext, absent,
    document::{self, Document},
    error, settle, typename,
};
use crate::error::Error;

impl Api {
    /// Runs a document's operation, unless the document or the variables do not fit the schema.
    pub(super) async fn run(
        &self,
        document: Document,
        variables: Variables,
        context: Arc<RequestContext>,
        request_id: &str,
    ) -> Response {
        let (source, operation_name) = document.into_parts();
        let mut parsed = source.parsed.clone();
        typename::wrap(&mut parsed);
        let refused = |error: &Error| error::refused(error, request_id);
        let operation = match document::operation(&parsed, operation_name.as_deref()) {
            Ok(operation) => operation,
            Err(error) => return refused(&error),
        };
        let values = match self.inputs.coerce(&operation.node, variables) {
            Ok(values) => values,
            // What is wrong with the document comes first: with it the variables may mean nothing.
            Err(errors) => {
                let invalid = self.validate(parsed).await;
                if invalid.is_err() {
                    return invalid;
                }
                return Response::from_errors(errors.iter().map(|error| error::refusal(error, request_id)).collect());
            }
        };
        let absent = absent::variables(&operation.node, &values);
        if !absent.is_empty() {
            let operation = operation.clone();
            if !source.is_valid() {
                let invalid = self.validate(parsed.clone()).await;
                if invalid.is_err() {
                    return invalid;
                }
            }
            parsed = absent::without(operation, parsed.fragments, &absent);
        }
        let mut run = Request::new("").variables(values.clone()).data(context);
        run.set_parsed_query(parsed);
        // Without what is absent, the operation is alone.
        run.operation_name = operation_name.clone().filter(|_| absent.is_empty());
        let schema = if source.is_valid() { &self.for_valid } else { &self.schema };
        // Loaders take locks, and tokio makes a task pause after so many: siblings after the pause would miss the batch.
        let mut response = tokio::task::coop::unconstrained(schema.execute(run)).await;
        if !response.errors.is_empty()
            && let Ok(operation) = document::operation(&source.parsed, operation_name.as_deref())
        {
            settle::settle(&mut response, &source.parsed, &operation.node, &values, &self.shapes);
        }
        response
    }

    /// Validates a document and runs nothing of it: what runs is a further operation, which asks for nothing.
    async fn validate(&self, mut document: ExecutableDocument) -> Response {
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
