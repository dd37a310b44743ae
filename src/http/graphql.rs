//! `/graphql` by the GraphQL over HTTP specification: POST with JSON, GET for queries.

use async_graphql_axum::GraphQLResponse;
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
    client::{self, Remote},
    media_type::MediaType,
    params::{Params, UrlParams},
    refusal::{refuse, request_error},
};
use crate::{
    auth::{self, Principal},
    error::{Code, Error, Result},
    graphql::{self, Answer, Document, Receipt, RequestContext},
    model::Role,
    services::{Client, refusals},
};

/// Everything of a request that is not its document.
#[derive(Clone)]
struct Call {
    app: App,
    id: RequestId,
    headers: HeaderMap,
    remote: Remote,
}

/// `POST /graphql`.
pub async fn post(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    Extension(remote): Extension<Remote>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Response {
    let call = Call { app, id, headers, remote };
    let params = match body {
        Ok(body) => Params::of_body(&body),
        Err((status, error)) => {
            let media_type = MediaType::accepted(&call.headers).unwrap_or(MediaType::Json);
            return refuse(media_type, status, &error, &call.id);
        }
    };
    call.answer(params, |_| true).await
}

/// `GET /graphql`, for queries only: a GET must not change anything.
pub async fn get(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    Extension(remote): Extension<Remote>,
    headers: HeaderMap,
    url: Result<Query<UrlParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let call = Call { app, id, headers, remote };
    let params = match url {
        Ok(Query(url)) => Params::of_url(url),
        Err(_) => Err(Error::new(Code::BadUserInput, "the URL's parameters could not be read")),
    };
    call.answer(params, Document::is_query).await
}

impl Call {
    /// In this order: what is cheap to refuse, who asks, the work.
    async fn answer(self, params: Result<Params>, allowed: impl Fn(&Document) -> bool) -> Response {
        let Some(media_type) = MediaType::accepted(&self.headers) else {
            let error = Error::new(
                Code::BadUserInput,
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
        let checked = api.document(&text, params.operation_name, &params.variables, &limits.document);
        let document = match checked {
            Ok(document) if allowed(&document) => document,
            Ok(_) => {
                let error = Error::new(Code::BadUserInput, "a GET may only query: send a mutation by POST");
                let mut response = self.refuse(media_type, StatusCode::METHOD_NOT_ALLOWED, &error);
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
                return response;
            }
            Err(error) => {
                self.note(error.clone());
                return self.refuse(media_type, media_type.request_error(), &error);
            }
        };
        let db = self.app.services.db.metered();
        let work = async {
            let principal = self.principal(&db).await?;
            if let Some(hash) = params.document.hash() {
                self.app.api.persisted.keep(hash, &text, principal.has(Role::Viewer));
            }
            let context = RequestContext::new(principal, self.client(), db.clone(), (*self.app.services).clone());
            let request =
                graphql::Request { document, variables: params.variables, context, request_id: self.id.id.to_string() };
            Ok(self.app.api.execute(request).await)
        };
        match tokio::time::timeout(limits.request_timeout, work).await {
            Ok(Ok(answer)) => self.respond(media_type, answer, &db),
            Ok(Err(error)) => self.refuse(media_type, status_of_refusal(&error), &error),
            Err(_) => {
                let message = format!("the request took longer than {} s", limits.request_timeout.as_secs());
                self.refuse(media_type, StatusCode::SERVICE_UNAVAILABLE, &Error::new(Code::Timeout, message))
            }
        }
    }

    async fn principal(&self, db: &crate::db::Db) -> Result<Principal> {
        // A header that is not text is no token; neither is an empty one, nor are two.
        let mut headers = self.headers.get_all(header::AUTHORIZATION).iter();
        let header = match (headers.next(), headers.next()) {
            (Some(_), Some(_)) => Some(""),
            (value, _) => value.map(|value| value.to_str().unwrap_or_default()),
        };
        let services = &self.app.services;
        auth::authenticate(db, &services.tokens, services.clock, header).await
    }

    /// Records the refusal of a document, without the caller having to wait for who that is.
    fn note(&self, error: Error) {
        let client = self.client();
        if !self.app.services.refusals.take(&Principal::Anonymous, &client, &error) {
            return;
        }
        let (call, span) = (self.clone(), tracing::Span::current());
        let work = async move {
            let services = &call.app.services;
            let principal = call.principal(&services.db).await.unwrap_or(Principal::Anonymous);
            if let Err(cause) = refusals::record(services, &principal, &client, &error, None).await {
                tracing::error!(error = cause.chain(), "a refusal could not be recorded");
            }
        };
        tokio::spawn(work.instrument(span));
    }

    fn client(&self) -> Client {
        Client { ip_address: self.remote.ip.map(|ip| ip.to_string()), user_agent: client::user_agent(&self.headers) }
    }

    fn respond(&self, media_type: MediaType, answer: Answer, db: &crate::db::Db) -> Response {
        let mut response = answer.response;
        if self.headers.get("x-receipt").is_some_and(|value| value != "0") {
            let receipt = Receipt {
                request_id: self.id.id.to_string(),
                cost: Some(answer.cost),
                statements: db.meter().statements(),
                rows: db.meter().rows(),
                duration_ms: (self.id.arrived.elapsed().as_secs_f64() * 1e6).round() / 1e3,
            };
            response.extensions.insert("receipt".to_owned(), receipt.into());
        }
        if answer.executed {
            let mut response = GraphQLResponse::from(response).into_response();
            media_type.mark(&mut response);
            response
        } else {
            request_error(media_type, media_type.request_error(), &response)
        }
    }

    fn refuse(&self, media_type: MediaType, status: StatusCode, error: &Error) -> Response {
        refuse(media_type, status, error, &self.id)
    }
}

/// Before execution only authentication can refuse, or the database be away.
fn status_of_refusal(error: &Error) -> StatusCode {
    match error.code() {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
