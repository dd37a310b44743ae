//! `/graphql` by the GraphQL over HTTP specification: POST with JSON, GET for queries.

use std::sync::Arc;

use async_graphql::Variables;
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{
    App, RequestId,
    body::JsonBody,
    client_address::{self, ClientConnection, Peer, TransportSecurity},
    error_response::{error_response, request_error_response},
    idempotency::{self, Refusal},
    media_type::MediaType,
    params::{Params, UrlParams},
    receipt::{self, Detail, Usage},
};
use crate::{
    auth::Principal,
    db::Db,
    error::{Error, ErrorCode, Result},
    graphql::{self, Document, ExecutionResult, Receipt, RequestContext},
    model::Role,
    services::{
        Client, access_denials,
        idempotency::{Claim, KeyedRequest},
    },
};

/// What is to be done for whoever asks.
struct Task {
    document: Document,
    variables: Variables,
    /// By what its text is to be kept, with the text.
    persist: Option<(graphql::DocumentHash, Arc<str>)>,
    /// The key under which it was sent, if it is one that matters.
    sent: Option<KeyedRequest>,
}

/// What came of a request, and what the principal may see of its receipt.
enum Outcome {
    Answered(Box<ExecutionResult>, Detail),
    /// It was done before: what was answered then.
    Kept(String, Detail),
}

/// Everything of a request that is not its document.
#[derive(Clone)]
struct Call {
    app: App,
    id: RequestId,
    headers: HeaderMap,
    connection: ClientConnection,
}

/// `POST /graphql`.
pub async fn post(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    Extension(connection): Extension<ClientConnection>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Response {
    let call = Call { app, id, headers, connection };
    let params = match body {
        Ok(body) => Params::of_body(&body),
        Err((status, error)) => {
            let media_type = MediaType::accepted_or_json(&call.headers);
            return error_response(media_type, status, &error, &call.id);
        }
    };
    Box::pin(call.answer(params, |_| true)).await
}

/// `GET /graphql`, for queries only: a GET must not change anything.
pub async fn get(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    Extension(connection): Extension<ClientConnection>,
    headers: HeaderMap,
    url: Result<Query<UrlParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let call = Call { app, id, headers, connection };
    let params = match url {
        Ok(Query(url)) => Params::of_url(url),
        Err(_) => Err(Error::new(ErrorCode::BadUserInput, "the URL's parameters could not be read")),
    };
    Box::pin(call.answer(params, Document::is_query)).await
}

impl Call {
    /// In this order: what is cheap to refuse, who asks, the work. Its callers box it, as every layer of axum moves the future
    /// of its handler.
    async fn answer(self, params: Result<Params>, allowed: impl Fn(&Document) -> bool) -> Response {
        let Some(media_type) = MediaType::accepted(&self.headers) else {
            let error = Error::new(
                ErrorCode::BadUserInput,
                "the answer comes as application/graphql-response+json or application/json, which Accept excludes",
            );
            return self.refuse(MediaType::Json, StatusCode::NOT_ACCEPTABLE, &error);
        };
        let limits = self.app.services.limits;
        let params = match params {
            Ok(params) => params,
            Err(error) => return self.refuse(media_type, StatusCode::BAD_REQUEST, &error),
        };
        let api = &self.app.api;
        let text = match params.document.text(&api.persisted) {
            Ok(text) => text,
            Err(error) => return self.refuse(media_type, media_type.request_error(), &error),
        };
        let sent = idempotency::key(&self.headers).map(|key| {
            let request = graphql::canonical_request(&text, params.operation_name.as_deref(), &params.variables);
            request.map(|content| KeyedRequest { key, content })
        });
        let sent = match sent.transpose() {
            Ok(sent) => sent,
            Err(cause) => {
                return self.refuse(media_type, StatusCode::INTERNAL_SERVER_ERROR, &Error::internal(cause));
            }
        };
        let checked = api.document(&text, params.operation_name, &params.variables, &limits.document);
        let document = match checked {
            Ok(document) if allowed(&document) => document,
            Ok(_) => {
                let error = Error::new(ErrorCode::BadUserInput, "a GET may only query: send a mutation by POST");
                let mut response = self.refuse(media_type, StatusCode::METHOD_NOT_ALLOWED, &error);
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
                return response;
            }
            Err(error) => {
                self.note(error.clone());
                return self.refuse(media_type, media_type.request_error(), &error);
            }
        };
        if let Err(error) = self.check_way(&document) {
            return self.refuse(media_type, StatusCode::FORBIDDEN, &error);
        }
        let db = self.app.services.db.metered_within(limits.response_bytes);
        let sent = sent.filter(|_| !document.is_query());
        let persist = params.document.hash().map(|hash| (hash, text));
        let task = Task { document, variables: params.variables, persist, sent };
        let outcome = if task.document.is_query() {
            self.work(&db, task).await
        } else {
            // A client that goes away does not stop a mutation, only its deadline does.
            let (call, db) = (self.clone(), db.clone());
            let work = async move { call.work(&db, task).await };
            match self.app.services.detached.spawn(work.in_current_span()).await {
                Ok(outcome) => outcome,
                Err(end) => match end.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(end) => Err((StatusCode::SERVICE_UNAVAILABLE, Error::internal(end))),
                },
            }
        };
        let mut response = match outcome {
            Ok(Outcome::Answered(answer, detail)) => self.respond(media_type, *answer, &db, detail),
            Ok(Outcome::Kept(answer, detail)) => {
                idempotency::replay(media_type, answer, self.receipt(None, &db, detail))
            }
            Err((status, error)) => {
                // What is wrong with the call itself shows in any case, as before a document is looked at.
                let shows = status.is_server_error() || status == StatusCode::UNAUTHORIZED;
                self.refuse(media_type, if shows { status } else { media_type.status(status) }, &error)
            }
        };
        response.extensions_mut().insert(Usage::of(&db));
        response
    }

    /// Who asks, and what comes of it, in time. Under a key the answer is kept, however long that takes.
    async fn work(&self, db: &Db, task: Task) -> Result<Outcome, Refusal> {
        let Task { document, variables, persist, sent } = task;
        let timeout = self.app.services.limits.request_timeout;
        let mut claimed = None;
        let work = async {
            let services = &self.app.services;
            let principal = self.principal(db).await.map_err(|error| (status_of_refusal(&error), error))?;
            let detail = Detail::of(&principal);
            let client = self.client();
            let db = &db.limited(services.statement_limiter.of(&principal, client.ip_address.as_deref()));
            if let Some((hash, text)) = persist {
                self.app.api.persisted.insert(hash, &text, principal.has(Role::Viewer));
            }
            if let (Some(sent), Some(authenticated)) = (&sent, principal.authenticated()) {
                match idempotency::claim(services, db, authenticated, sent, document.idempotency_mode()).await? {
                    Some(Claim::Replay(answer)) => return Ok(Outcome::Kept(answer, detail)),
                    Some(Claim::New(key)) => claimed = Some(key),
                    None => {}
                }
            }
            let context = RequestContext::new(principal, client, db.clone(), Arc::clone(services));
            let request = graphql::Request { document, variables, context, request_id: self.id.id.to_string() };
            Ok(Outcome::Answered(Box::new(self.app.api.execute(request).await), detail))
        };
        let outcome = tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| {
            let message = format!("the request took longer than {} s", timeout.as_secs());
            Err((StatusCode::SERVICE_UNAVAILABLE, Error::new(ErrorCode::Timeout, message)))
        });
        if let (Some(claimed), Ok(Outcome::Answered(answer, _))) = (claimed, &outcome) {
            idempotency::settle(&self.app.services, db, claimed, answer).await;
        }
        outcome
    }

    /// What anybody on the way may have read is not taken, so that nobody gets used to sending it like this.
    fn check_way(&self, document: &Document) -> Result<()> {
        let secret = self.headers.contains_key(header::AUTHORIZATION) || document.holds_secrets();
        if !secret || self.connection.transport != TransportSecurity::Plaintext || self.app.http.allow_plain_http {
            return Ok(());
        }
        tracing::warn!("rejected a password or token sent over plain HTTP");
        Err(Error::new(
            ErrorCode::Forbidden,
            "the server rejects passwords and tokens over plain HTTP from other machines: use HTTPS through a trusted proxy \
             (GUARDIANEYE_TRUSTED_PROXIES), or allow plain HTTP (GUARDIANEYE_ALLOW_PLAIN_HTTP)",
        ))
    }

    async fn principal(&self, db: &Db) -> Result<Principal> {
        // A header that is not text is no token; neither is an empty one, nor are two.
        let mut headers = self.headers.get_all(header::AUTHORIZATION).iter();
        let header = match (headers.next(), headers.next()) {
            (Some(_), Some(_)) => Some(""),
            (value, _) => value.map(|value| value.to_str().unwrap_or_default()),
        };
        let services = &self.app.services;
        let principal = services.authenticator.authenticate(db, header, services.clock.now()).await?;
        services.record_token_use(&principal);
        Ok(principal)
    }

    /// Records the refusal of a document, without the caller having to wait for who that is.
    fn note(&self, error: Error) {
        let client = self.client();
        if !self.app.services.access_denials.take(&Principal::Anonymous, &client, &error) {
            return;
        }
        let (call, span) = (self.clone(), tracing::Span::current());
        let work = async move {
            let services = &call.app.services;
            let principal = call.principal(&services.db).await.unwrap_or(Principal::Anonymous);
            if let Err(cause) = access_denials::record(services, &principal, &client, &error, None).await {
                tracing::error!(error = cause.chain(), "a refusal could not be recorded");
            }
        };
        self.app.services.detached.spawn(work.instrument(span));
    }

    fn client(&self) -> Client {
        Client {
            ip_address: self.connection.ip.map(|ip| ip.to_string()),
            user_agent: client_address::user_agent(&self.headers),
            through_untrusted_proxy: self.connection.peer == Peer::UntrustedProxy,
        }
    }

    fn receipt(&self, cost: Option<u64>, db: &Db, detail: Detail) -> Option<Receipt> {
        receipt::of(&self.headers, &self.id, cost, Usage::of(db), detail)
    }

    fn respond(&self, media_type: MediaType, mut answer: ExecutionResult, db: &Db, detail: Detail) -> Response {
        if let Some(receipt) = self.receipt(Some(answer.complexity), db, detail) {
            answer.response.extensions.insert("receipt".to_owned(), receipt.into());
        }
        if !answer.executed {
            return request_error_response(media_type, media_type.request_error(), &answer.response);
        }
        match answer.to_json(db.meter(), &self.id.id) {
            Ok(text) => {
                let mut response = text.into_response();
                media_type.mark(&mut response);
                response
            }
            Err(error) => self.refuse(media_type, StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }

    fn refuse(&self, media_type: MediaType, status: StatusCode, error: &Error) -> Response {
        error_response(media_type, status, error, &self.id)
    }
}

/// Before execution only authentication can refuse, or the database be away.
fn status_of_refusal(error: &Error) -> StatusCode {
    match error.code() {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
