//! For load balancers and supervisors. Nothing about versions or causes: strangers may ask.

use axum::{
    extract::State,
    http::{HeaderName, StatusCode, header},
};

use super::App;

type Health = (StatusCode, [(HeaderName, &'static str); 1], &'static str);

/// The process runs.
pub async fn live() -> Health {
    health(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// The process can do its work: the database answers.
pub async fn ready(State(app): State<App>) -> Health {
    match app.services.db.ping().await {
        Ok(()) => health(StatusCode::OK, r#"{"status":"ok"}"#),
        Err(error) => {
            tracing::warn!(error = error.chain(), "not ready: the database does not answer");
            health(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unavailable"}"#)
        }
    }
}

fn health(status: StatusCode, body: &'static str) -> Health {
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}
