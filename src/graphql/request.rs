//! A GraphQL request as a transport passes it in, and the response that it gets back.

use std::{sync::Arc, time::Instant};

use async_graphql::{Response, Variables};

use super::{
    document::{DocumentHash, PersistedQueries},
    receipt::Usage,
};
use crate::{
    error::{Error, Result},
    services::Client,
};

/// A GraphQL request.
#[derive(Debug)]
pub struct GraphqlRequest {
    /// The id in receipts, logs and internal errors.
    pub id: Arc<str>,
    pub received_at: Instant,
    pub document: DocumentSource,
    pub operation_name: Option<String>,
    pub variables: Variables,
    /// The value of the header `Authorization`; empty if it is not valid text.
    pub authorization: Option<String>,
    /// The value of the header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    pub client: Client,
    /// Rejects mutations, as the method GET must not change data.
    pub queries_only: bool,
    /// Rejects passwords and tokens, as the transport is not encrypted.
    pub rejects_credentials: bool,
    /// The client requests a receipt.
    pub wants_receipt: bool,
}

/// The document of a request, or its hash.
#[derive(Debug)]
pub enum DocumentSource {
    /// The text of the document; with the hash under which it becomes a persisted query.
    Inline(Arc<str>, Option<DocumentHash>),
    Persisted(DocumentHash),
}

impl DocumentSource {
    pub(super) fn text(&self, persisted: &PersistedQueries) -> Result<Arc<str>> {
        match self {
            Self::Inline(text, _) => Ok(Arc::clone(text)),
            Self::Persisted(hash) => persisted.get(*hash),
        }
    }
}

/// The response to a request, with its database usage.
#[derive(Debug)]
pub struct GraphqlResponse {
    pub outcome: Outcome,
    pub usage: Usage,
}

/// What the pipeline did with a request.
#[derive(Debug)]
pub enum Outcome {
    /// It executed the operation. The JSON body.
    Executed(String),
    /// It returned the stored response of an idempotency key. The JSON body.
    Replayed(String),
    /// A request error of the GraphQL specification, found in admission, validation or coercion: no `data`.
    RequestError(Box<Response>),
    /// It rejected the request before admission.
    Rejected(Rejection),
}

/// The step that rejected a request, and the error.
#[derive(Debug)]
pub struct Rejection {
    pub step: Step,
    pub error: Error,
}

/// The steps that can reject a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Persisted queries, parsing, the choice of the operation, and the limits of documents.
    Document,
    /// Only queries are allowed, and the operation is a mutation.
    OperationType,
    /// The request has credentials and the transport is not encrypted.
    Transport,
    Authentication,
    /// The syntax of the idempotency key, and the operations that do not support one.
    IdempotencyKey,
    /// Another request has the idempotency key.
    IdempotencyClaim,
    /// The request timeout, or the shutdown of the server.
    Completion,
    /// The response cannot be serialized.
    Serialization,
}

impl Step {
    pub(super) fn rejects(self, error: Error) -> Rejection {
        Rejection { step: self, error }
    }
}
