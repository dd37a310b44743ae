//! Asking the server something, and reading what it says.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use guardianeye::{graphql::Usage, model::UserId};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::TestApp;

/// Somebody who asks.
pub struct Caller<'a> {
    router: &'a Router,
    user: Option<(UserId, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    usage: Option<Usage>,
}

impl<'a> Caller<'a> {
    pub fn new(app: &'a TestApp, user: Option<(UserId, String)>) -> Self {
        Self { router: &app.router, user }
    }

    /// The same caller at another server.
    pub fn at(self, router: &'a Router) -> Self {
        Self { router, ..self }
    }

    /// With this token, whatever it is.
    pub fn with_token(app: &'a TestApp, token: String) -> Self {
        Self { router: &app.router, user: Some((UserId(uuid::Uuid::nil()), token)) }
    }

    pub fn id(&self) -> UserId {
        self.user.as_ref().expect("somebody who is logged in").0
    }

    pub fn token(&self) -> &str {
        &self.user.as_ref().expect("somebody who is logged in").1
    }

    pub fn maybe_token(&self) -> Option<&str> {
        self.user.as_ref().map(|(_, token)| token.as_str())
    }

    /// Sends a document with variables, and asks for the receipt.
    pub async fn gql(&self, query: &str, variables: Value) -> Reply {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql").header("content-type", "application/json").header("x-receipt", "1");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Sends any request, with the caller's token.
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        if let Some((_, token)) = &self.user {
            let value = format!("Bearer {token}").parse().expect("a header");
            request.headers_mut().insert("authorization", value);
        }
        Reply::of(self.router.clone(), request).await
    }
}

impl Reply {
    /// What a router answers.
    pub async fn of(router: Router, request: Request<Body>) -> Self {
        let response = router.oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        let usage = parts.extensions.get().copied();
        Self { status: parts.status, headers: parts.headers, body, usage }
    }

    /// The data of an answer without errors.
    pub fn data(&self) -> &Value {
        assert!(self.body.get("errors").is_none(), "{:#}", self.body);
        &self.body["data"]
    }

    /// The codes of all errors.
    pub fn codes(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().expect("every error has a code")).collect()
    }

    /// The code of the one error.
    pub fn code(&self) -> &str {
        match self.codes()[..] {
            [code] => code,
            _ => panic!("not one error: {:#}", self.body),
        }
    }

    /// The message of the one error.
    pub fn message(&self) -> &str {
        self.code();
        self.body["errors"][0]["message"].as_str().expect("a message")
    }

    /// What it cost.
    pub fn cost(&self) -> u64 {
        self.body["extensions"]["receipt"]["cost"].as_u64().expect("a receipt")
    }

    /// How many SQL statements it took, whoever sent it.
    pub fn sql(&self) -> u64 {
        self.usage.expect("an answer of /graphql").statements
    }
}
