//! For load balancers and supervisors. Nothing about versions or causes: strangers may ask.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::App;

/// The process runs.
pub async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The process can do its work: the database answers.
pub async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    match app.services.db.ping().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => {
            tracing::warn!(error = error.chain(), "not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable" })))
        }
    }
}
