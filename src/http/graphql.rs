//! `/graphql` by the GraphQL over HTTP specification: POST with JSON, GET for queries.

use std::net::SocketAddr;

use async_graphql::Variables;
use async_graphql_axum::GraphQLResponse;
use axum::{
    Extension,
    body::Bytes,
    extract::{ConnectInfo, Query, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{App, RequestId};
use crate::{
    auth::{self, Principal},
    error::{Code, Error, Result},
    graphql::{self, Answer, Document, Receipt, RequestContext},
    services::Client,
};

/// The parameters of a request, in a POST's body or a GET's URL.
#[derive(Debug, Default)]
struct Params {
    query: String,
    operation_name: Option<String>,
    variables: Variables,
}

/// The two media types of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    /// `application/json`: what was well-formed is answered with 200, whatever came of it.
    Json,
    /// `application/graphql-response+json`: 200 only when something was executed.
    GraphqlResponse,
}

/// Everything of a request that is not its document.
struct Call {
    app: App,
    id: RequestId,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
}

type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// `POST /graphql`.
pub async fn post(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    peer: Peer,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let call = Call { app, id, peer: peer.map(|Extension(ConnectInfo(peer))| peer), headers };
    let params = match body {
        Ok(body) if call.content_type_is_json() => params_of_body(&body),
        Ok(_) => {
            let error = Error::new(Code::BadUserInput, "the body must be application/json");
            return call.refuse(MediaType::Json, StatusCode::UNSUPPORTED_MEDIA_TYPE, &error);
        }
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the body is larger than {} bytes", call.app.services.limits.body_bytes);
            let error = Error::new(Code::QueryTooComplex, message);
            return call.refuse(MediaType::Json, StatusCode::PAYLOAD_TOO_LARGE, &error);
        }
        Err(_) => Err(Error::new(Code::BadUserInput, "the body could not be read")),
    };
    call.answer(params, |_| true).await
}

/// `GET /graphql`, for queries only: a GET must not change anything.
pub async fn get(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    peer: Peer,
    headers: HeaderMap,
    url: Result<Query<UrlParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let call = Call { app, id, peer: peer.map(|Extension(ConnectInfo(peer))| peer), headers };
    let params = match url {
        Ok(Query(url)) => params_of_url(url),
        Err(_) => Err(Error::new(Code::BadUserInput, "the URL's parameters could not be read")),
    };
    call.answer(params, Document::is_query).await
}

impl Call {
    /// In this order: what is cheap to refuse, who asks, the work.
    async fn answer(self, params: Result<Params>, allowed: impl Fn(&Document) -> bool) -> Response {
        let Some(media_type) = self.media_type() else {
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
        let checked = api.document(&params.query, params.operation_name, &params.variables, &limits.document);
        let document = match checked {
            Ok(document) if allowed(&document) => document,
            Ok(_) => {
                let error = Error::new(Code::BadUserInput, "a GET may only query: send a mutation by POST");
                let mut response = self.refuse(media_type, StatusCode::METHOD_NOT_ALLOWED, &error);
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
                return response;
            }
            Err(error) => return self.refuse(media_type, media_type.request_error(), &error),
        };
        let db = self.app.services.db.metered();
        let work = async {
            let principal = self.principal(&db).await?;
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
        // A header that is not text is no token; neither is an empty one.
        let header = self.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let services = &self.app.services;
        auth::authenticate(db, &services.tokens, services.clock, header).await
    }

    fn client(&self) -> Client {
        let user_agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Client {
            ip_address: self.peer.map(|peer| peer.ip().to_canonical().to_string()),
            user_agent: user_agent.map(|text| text.chars().take(512).collect()),
        }
    }

    fn content_type_is_json(&self) -> bool {
        let content_type = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|text| text.split(';').next()).map(str::trim);
        media_type.is_some_and(|text| text.eq_ignore_ascii_case("application/json"))
    }

    /// The media type that `Accept` asks for; `application/json` when it does not care, none when it excludes both.
    fn media_type(&self) -> Option<MediaType> {
        let mut accepted = None;
        let mut headers = self.headers.get_all(header::ACCEPT).iter().peekable();
        if headers.peek().is_none() {
            return Some(MediaType::Json);
        }
        for range in headers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let excluded = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            match media_type.as_str() {
                _ if excluded => {}
                "application/graphql-response+json" => return Some(MediaType::GraphqlResponse),
                "application/json" | "application/*" | "*/*" => accepted = Some(MediaType::Json),
                _ => {}
            }
        }
        accepted
    }

    fn respond(&self, media_type: MediaType, answer: Answer, db: &crate::db::Db) -> Response {
        let mut response = answer.response;
        if self.headers.contains_key("x-receipt") {
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
            response.headers_mut().insert(header::CONTENT_TYPE, media_type.header());
            response
        } else {
            request_error(media_type, media_type.request_error(), &response)
        }
    }

    fn refuse(&self, media_type: MediaType, status: StatusCode, error: &Error) -> Response {
        if error.code() == Code::Internal {
            tracing::error!(error = error.chain(), "internal error");
        }
        let mut response = request_error(media_type, status, &graphql::refused(error, &self.id.id));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl MediaType {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// The status of a well-formed request whose document was refused.
    fn request_error(self) -> StatusCode {
        match self {
            Self::Json => StatusCode::OK,
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
        }
    }
}

/// A response without `data`: nothing was executed.
fn request_error(media_type: MediaType, status: StatusCode, response: &async_graphql::Response) -> Response {
    #[derive(serde::Serialize)]
    struct Body<'a> {
        errors: &'a [async_graphql::ServerError],
        #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        extensions: &'a std::collections::BTreeMap<String, async_graphql::Value>,
    }
    let body = Body { errors: &response.errors, extensions: &response.extensions };
    (status, [(header::CONTENT_TYPE, media_type.header())], serde_json::to_vec(&body).unwrap_or_default())
        .into_response()
}

/// Before execution only authentication can refuse, or the database be away.
fn status_of_refusal(error: &Error) -> StatusCode {
    match error.code() {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The parameters of a GET, each as text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlParams {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
}

fn params_of_url(url: UrlParams) -> Result<Params> {
    let variables = match url.variables.as_deref() {
        None | Some("") => serde_json::Value::Null,
        Some(text) => serde_json::from_str(text)
            .map_err(|cause| Error::bad_input("variables", format!("the variables are not JSON: {cause}")))?,
    };
    Ok(Params {
        query: url.query.ok_or_else(no_query)?,
        operation_name: url.operation_name.filter(|name| !name.is_empty()),
        variables: variables_of(variables)?,
    })
}

fn params_of_body(body: &[u8]) -> Result<Params> {
    use serde_json::Value;
    let body: Value = serde_json::from_slice(body)
        .map_err(|cause| Error::new(Code::BadUserInput, format!("the body is not JSON: {cause}")))?;
    let mut body = match body {
        Value::Object(body) => body,
        Value::Array(_) => return Err(Error::new(Code::BadUserInput, "batches are not taken: send one request")),
        _ => return Err(Error::new(Code::BadUserInput, "the body must be a JSON object")),
    };
    if !matches!(body.get("extensions"), None | Some(Value::Null | Value::Object(_))) {
        return Err(Error::bad_input("extensions", "the extensions must be an object"));
    }
    Ok(Params {
        query: match body.remove("query") {
            Some(Value::String(query)) => query,
            None => return Err(no_query()),
            Some(_) => return Err(Error::bad_input("query", "the query must be a string")),
        },
        operation_name: match body.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err(Error::bad_input("operationName", "the operation name must be a string")),
        },
        variables: variables_of(body.remove("variables").unwrap_or_default())?,
    })
}

fn variables_of(variables: serde_json::Value) -> Result<Variables> {
    match variables {
        serde_json::Value::Null | serde_json::Value::Object(_) => Ok(Variables::from_json(variables)),
        _ => Err(Error::bad_input("variables", "the variables must be an object")),
    }
}

fn no_query() -> Error {
    Error::bad_input("query", "the query is missing")
}
