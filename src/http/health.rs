//! Health checks for load balancers and supervisors. They are public, so they return no versions and no causes.

use axum::{
    extract::State,
    http::{HeaderName, StatusCode, header},
};

use super::App;

type Health = (StatusCode, [(HeaderName, &'static str); 1], &'static str);

/// Liveness: the process runs.
pub async fn live() -> Health {
    health(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// Readiness: the database responds.
pub async fn ready(State(app): State<App>) -> Health {
    match app.services.db.ping().await {
        Ok(()) => health(StatusCode::OK, r#"{"status":"ok"}"#),
        Err(error) => {
            tracing::warn!(error = error.chain(), "not ready: the database does not respond");
            health(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unavailable"}"#)
        }
    }
}

fn health(status: StatusCode, body: &'static str) -> Health {
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}
