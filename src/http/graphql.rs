//! `/graphql` as the GraphQL over HTTP specification defines it: POST with JSON, GET for queries.

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    App, RequestId,
    body::JsonBody,
    client_address::{self, ClientConnection, Peer},
    error_response::{error_response, request_error_response},
    idempotency,
    media_type::ResponseMediaType,
    params::{RequestParams, UrlParams},
    transport_security::TransportSecurity,
};
use crate::{
    error::{Error, ErrorCode, Result},
    graphql::{GraphqlRequest, Outcome, Rejection, Step},
    services::Client,
};

/// Handles one HTTP request.
struct GraphqlHandler {
    app: App,
    id: RequestId,
    headers: HeaderMap,
    connection: ClientConnection,
    /// The method GET must not change data.
    queries_only: bool,
}

/// `POST /graphql`.
pub async fn post(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    Extension(connection): Extension<ClientConnection>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Response {
    let params = match body {
        Ok(body) => RequestParams::from_body(&body),
        Err((status, error)) => {
            return error_response(ResponseMediaType::accepted_or_json(&headers), status, &error, &id);
        }
    };
    let handler = GraphqlHandler { app, id, headers, connection, queries_only: false };
    handler.respond(params).await
}

/// `GET /graphql`.
pub async fn get(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    Extension(connection): Extension<ClientConnection>,
    headers: HeaderMap,
    url: Result<Query<UrlParams>, QueryRejection>,
) -> Response {
    let params = match url {
        Ok(Query(url)) => RequestParams::from_url(url),
        Err(_) => Err(Error::new(ErrorCode::BadUserInput, "cannot read the parameters of the URL")),
    };
    let handler = GraphqlHandler { app, id, headers, connection, queries_only: true };
    handler.respond(params).await
}

impl GraphqlHandler {
    /// Negotiates the media type, passes the request to the pipeline, and maps the outcome to HTTP.
    async fn respond(self, params: Result<RequestParams>) -> Response {
        tracing::trace!(target: "request_path", "receive");
        let Some(media_type) = ResponseMediaType::accepted(&self.headers) else {
            let message = "the header Accept excludes application/graphql-response+json and application/json";
            let error = Error::new(ErrorCode::BadUserInput, message);
            return error_response(ResponseMediaType::Json, StatusCode::NOT_ACCEPTABLE, &error, &self.id);
        };
        let params = match params {
            Ok(params) => params,
            Err(error) => return error_response(media_type, StatusCode::BAD_REQUEST, &error, &self.id),
        };
        let Self { app, id, .. } = &self;
        let response = Box::pin(app.api.handle(&app.services, self.graphql_request(params))).await;
        let mut http_response = match response.outcome {
            Outcome::Executed(body) => json_response(media_type, body),
            Outcome::Replayed(body) => {
                let mut replayed = json_response(media_type, body);
                replayed.headers_mut().insert(idempotency::REPLAYED.clone(), HeaderValue::from_static("true"));
                replayed
            }
            Outcome::RequestError(response) => {
                request_error_response(media_type, media_type.request_error(), &response)
            }
            Outcome::Rejected(rejection) => {
                let status = status_of(media_type, &rejection);
                let mut rejected = error_response(media_type, status, &rejection.error, id);
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    rejected.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
                }
                rejected
            }
        };
        http_response.extensions_mut().insert(response.usage);
        http_response
    }

    fn graphql_request(&self, params: RequestParams) -> GraphqlRequest {
        let RequestParams { document, operation_name, variables } = params;
        let is_plaintext = self.connection.transport == TransportSecurity::Plaintext;
        GraphqlRequest {
            id: self.id.id.clone(),
            received_at: self.id.arrived,
            document,
            operation_name,
            variables,
            authorization: authorization(&self.headers),
            idempotency_key: idempotency::key(&self.headers),
            client: Client {
                ip_address: self.connection.ip.map(|ip| ip.to_string()),
                user_agent: client_address::user_agent(&self.headers),
                through_untrusted_proxy: self.connection.peer == Peer::UntrustedProxy,
            },
            queries_only: self.queries_only,
            rejects_credentials: is_plaintext && !self.app.http.allow_plain_http,
            wants_receipt: self.headers.get("x-receipt").is_some_and(|value| value != "0"),
        }
    }
}

/// The header `Authorization`; empty, which is never valid, if it is not text or occurs twice.
fn authorization(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (None, _) => None,
        (Some(line), None) => Some(line.to_str().unwrap_or_default().to_owned()),
        (Some(_), Some(_)) => Some(String::new()),
    }
}

fn json_response(media_type: ResponseMediaType, body: String) -> Response {
    let mut response = body.into_response();
    media_type.mark(&mut response);
    response
}

/// Errors of HTTP, of authentication and of the server have their status in both media types.
fn status_of(media_type: ResponseMediaType, Rejection { step, error }: &Rejection) -> StatusCode {
    match (step, error.code()) {
        (Step::OperationType, _) => StatusCode::METHOD_NOT_ALLOWED,
        (Step::Transport, _) => StatusCode::FORBIDDEN,
        (Step::Authentication, ErrorCode::Unauthenticated) => StatusCode::UNAUTHORIZED,
        (Step::Document, _) => media_type.request_error(),
        (Step::IdempotencyKey, _) => media_type.status(StatusCode::BAD_REQUEST),
        (Step::IdempotencyClaim, ErrorCode::BadUserInput) => media_type.status(StatusCode::UNPROCESSABLE_ENTITY),
        (Step::IdempotencyClaim, ErrorCode::Conflict) => media_type.status(StatusCode::CONFLICT),
        (Step::Authentication | Step::IdempotencyClaim | Step::Completion, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Step::Serialization, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
