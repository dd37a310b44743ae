//! The path of every GraphQL request: parse, limits, authenticate, admit, validate, coerce, execute, respond. A transport calls
//! [`GraphqlApi::handle`] once per request.

use std::sync::Arc;

use async_graphql::Variables;
use tracing::Instrument;

use super::{
    GraphqlApi, admission,
    document::Document,
    error,
    execution::{ExecutionResult, Executor, RequestContext},
    idempotency,
    receipt::{Detail, Receipt, Usage},
    request::{DocumentSource, GraphqlRequest, GraphqlResponse, Outcome, Rejection, Step},
};
use crate::{
    auth::Principal,
    config::DocumentLimits,
    db::Db,
    error::{Error, ErrorCode, Result},
    model::Role,
    services::{
        Services, access_denials,
        idempotency::{Claim, ClaimedKey},
    },
};

/// The result of the steps that access the database.
enum Processed {
    Executed(Box<ExecutionResult>, Detail),
    Replayed(String, Detail),
}

impl GraphqlApi {
    /// Handles a request: first the checks that need no database, then authentication and execution. Callers box the future,
    /// as each layer of a router moves it.
    pub async fn handle(&self, services: &Arc<Services>, request: GraphqlRequest) -> GraphqlResponse {
        tracing::trace!(target: "request_path", "handle");
        let db = services.db.metered_within(services.limits.response_bytes);
        let outcome = self.process(services, &db, request).await.unwrap_or_else(Outcome::Rejected);
        GraphqlResponse { outcome, usage: Usage::of(&db) }
    }

    async fn process(
        &self,
        services: &Arc<Services>,
        db: &Db,
        mut request: GraphqlRequest,
    ) -> Result<Outcome, Rejection> {
        let text = request.document.text(&self.persisted).map_err(|error| Step::Document.rejects(error))?;
        let operation_name = request.operation_name.take();
        let parsed = self.document(&text, operation_name, &request.variables, &services.limits.document);
        let document = parsed.map_err(|error| {
            record_rejected_document(services, &request, &error);
            Step::Document.rejects(error)
        })?;
        check_operation_type(&request, &document)?;
        check_transport(&request, &document)?;
        if document.is_query() {
            return self.run(services, db, request, document).await;
        }
        // A mutation completes although its client disconnects; only the request timeout stops it.
        let (api, owned_services, db) = (self.clone(), Arc::clone(services), db.clone());
        let mutation = async move { api.run(&owned_services, &db, request, document).await };
        match services.detached.spawn(mutation.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(end) => match end.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(Step::Completion.rejects(Error::internal(cancelled))),
            },
        }
    }

    /// Parses a document and checks its limits, without the database.
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

    /// Runs the steps that access the database, within the request timeout, and serializes the response.
    async fn run(
        &self,
        services: &Arc<Services>,
        db: &Db,
        request: GraphqlRequest,
        document: Document,
    ) -> Result<Outcome, Rejection> {
        let (id, received_at) = (Arc::clone(&request.id), request.received_at);
        let timeout = services.limits.request_timeout;
        let mut claimed_key = None;
        let steps = self.authenticate_and_execute(services, db, request, document, &mut claimed_key);
        let processed = tokio::time::timeout(timeout, steps).await.unwrap_or_else(|_| {
            let message =
                format!("the request exceeded the limit of {} s (GUARDIANEYE_REQUEST_TIMEOUT)", timeout.as_secs());
            Err(Step::Completion.rejects(Error::new(ErrorCode::Timeout, message)))
        })?;
        let receipt = |complexity, detail| Receipt::new(&id, received_at, complexity, Usage::of(db), detail);
        match processed {
            Processed::Executed(result, detail) => {
                if let Some(key) = claimed_key {
                    idempotency::finish(services, db, key, &result).await;
                }
                let receipt = receipt(Some(result.complexity), detail);
                Ok(respond(*result, receipt, db, &id))
            }
            Processed::Replayed(mut body, detail) => {
                if let Some(receipt) = receipt(None, detail) {
                    receipt.append_to(&mut body);
                }
                Ok(Outcome::Replayed(body))
            }
        }
    }

    async fn authenticate_and_execute(
        &self,
        services: &Arc<Services>,
        db: &Db,
        request: GraphqlRequest,
        document: Document,
        claimed_key: &mut Option<ClaimedKey>,
    ) -> Result<Processed, Rejection> {
        let GraphqlRequest {
            id,
            document: source,
            variables,
            authorization,
            idempotency_key,
            client,
            wants_receipt,
            ..
        } = request;
        let principal = authenticate(services, db, authorization.as_deref()).await;
        let principal = principal.map_err(|error| Step::Authentication.rejects(error))?;
        let detail = Detail::of(&principal, wants_receipt);
        let db = db.limited(services.statement_limiter.of(&principal, client.ip_address.as_deref()));
        if let DocumentSource::Inline(text, Some(hash)) = source {
            self.persisted.insert(hash, &text, principal.has(Role::Viewer));
        }
        match idempotency::claim(services, &db, &principal, idempotency_key.as_deref(), &document, &variables).await? {
            Some(Claim::Replay(body)) => return Ok(Processed::Replayed(body, detail)),
            Some(Claim::New(key)) => *claimed_key = Some(key),
            None => {}
        }
        let context = RequestContext::new(principal, client, db, Arc::clone(services));
        let result = self.execute(document, variables, context, &id).await;
        Ok(Processed::Executed(Box::new(result), detail))
    }

    /// Admits, validates and executes an operation. Every error of the result has a code.
    pub async fn execute(
        &self,
        document: Document,
        variables: Variables,
        mut context: RequestContext,
        request_id: &str,
    ) -> ExecutionResult {
        context.fast_path_eligible = document.source().plain;
        let admitted = admission::admit(&document, &mut context);
        let context = Arc::new(context);
        if let Err(error) = admitted {
            let result = ExecutionResult::new(&document, error::error_response(&error, request_id));
            context.record_access_denial(&result.response.errors).await;
            return result;
        }
        let response = self.executor.execute(&document, variables, Arc::clone(&context), request_id).await;
        let mut result = ExecutionResult::new(&document, response);
        result.limit_size(context.db.meter(), request_id);
        context.record_access_denial(&result.response.errors).await;
        if !result.executed {
            admission::redact_validation_errors(&mut result.response.errors, &context);
        }
        error::finalize_errors(&mut result.response, request_id);
        result
    }
}

/// Rejects mutations where only queries are allowed.
fn check_operation_type(request: &GraphqlRequest, document: &Document) -> Result<(), Rejection> {
    if document.is_query() || !request.queries_only {
        return Ok(());
    }
    let error = Error::new(ErrorCode::BadUserInput, "the method GET allows only queries: send a mutation with POST");
    Err(Step::OperationType.rejects(error))
}

/// Rejects credentials on an unencrypted transport, so that no client gets used to sending them this way.
fn check_transport(request: &GraphqlRequest, document: &Document) -> Result<(), Rejection> {
    if !request.rejects_credentials || (request.authorization.is_none() && !document.transmits_secrets()) {
        return Ok(());
    }
    tracing::warn!("rejected a password or token sent over plain HTTP");
    let message = "the server rejects passwords and tokens over plain HTTP from other machines: use HTTPS through a trusted \
                   proxy (GUARDIANEYE_TRUSTED_PROXIES), or allow plain HTTP (GUARDIANEYE_ALLOW_PLAIN_HTTP)";
    Err(Step::Transport.rejects(Error::new(ErrorCode::Forbidden, message)))
}

async fn authenticate(services: &Services, db: &Db, authorization: Option<&str>) -> Result<Principal> {
    tracing::trace!(target: "request_path", "authenticate");
    let principal = services.authenticator.authenticate(db, authorization, services.clock.now()).await?;
    services.last_used.record(&services.db, &principal, services.clock.now());
    Ok(principal)
}

/// Records a rejected document in the audit log. The response does not wait for the authentication of the principal.
fn record_rejected_document(services: &Arc<Services>, request: &GraphqlRequest, error: &Error) {
    let client = request.client.clone();
    if !services.access_denials.take(&Principal::Anonymous, &client, error) {
        return;
    }
    let (owned_services, error) = (Arc::clone(services), error.clone());
    let authorization = request.authorization.clone();
    let record = async move {
        let services = &owned_services;
        let principal = authenticate(services, &services.db, authorization.as_deref()).await;
        let principal = principal.unwrap_or(Principal::Anonymous);
        if let Err(cause) =
            access_denials::record(&services.db, services.clock.now(), &principal, &client, &error, None).await
        {
            tracing::error!(error = cause.chain(), "cannot record a rejected document in the audit log");
        }
    };
    services.detached.spawn(record.in_current_span());
}

/// Serializes the response, with the receipt.
fn respond(mut result: ExecutionResult, receipt: Option<Receipt>, db: &Db, request_id: &str) -> Outcome {
    tracing::trace!(target: "request_path", "respond");
    if let Some(receipt) = receipt {
        result.response.extensions.insert("receipt".to_owned(), receipt.into());
    }
    if !result.executed {
        return Outcome::RequestError(Box::new(result.response));
    }
    match result.to_json(db.meter(), request_id) {
        Ok(body) => Outcome::Executed(body),
        Err(error) => Outcome::Rejected(Step::Serialization.rejects(error)),
    }
}
