//! The server's outside: routes, request ids, logs, time-outs and the graceful stop. The only room that knows axum.

mod graphql;
mod health;
mod request_id;
mod serve;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    response::Html,
    routing::{get, post},
};

pub use self::{
    request_id::RequestId,
    serve::{StopSignal, serve},
};
use crate::{graphql::Api, services::Services};

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App {
    pub api: Api,
    pub services: Arc<Services>,
}

impl App {
    /// All routes of the server.
    pub fn router(self) -> Router {
        let body_bytes = self.services.limits.body_bytes;
        Router::new()
            .route("/", get(graphiql))
            .route("/graphql", post(graphql::post).get(graphql::get))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready))
            .layer(DefaultBodyLimit::max(body_bytes))
            .layer(middleware::from_fn(request_id::trace))
            .with_state(self)
    }
}

async fn graphiql() -> Html<String> {
    Html(async_graphql::http::GraphiQLSource::build().endpoint("/graphql").title("GuardianEye").finish())
}
