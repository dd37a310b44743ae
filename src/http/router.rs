//! The routes of the server, and the middleware around them.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, predicate::SizeAbove},
};

use super::{App, console, error_response, graphql, headers, health, host_check, jwks, trace};

/// Smaller responses fit into one packet without compression.
const COMPRESS_ABOVE_BYTES: u64 = 1_024;

impl App {
    /// All routes of the server.
    pub fn router(self) -> Router {
        let routes = Router::new()
            .merge(console::routes())
            .route("/graphql", post(graphql::post).get(graphql::get))
            .route("/.well-known/jwks.json", get(jwks::jwks))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready));
        self.with_middleware(routes)
    }

    /// Adds the middleware of all routes, from the innermost to the outermost.
    fn with_middleware(self, routes: Router<Self>) -> Router {
        // Measured on responses of 2 to 500 kB: the fastest levels reduce them to 20 to 33 %; slower levels save little more for
        // many times the work. Compression side channels (BREACH) need ambient credentials, which this API does not have.
        let compression = CompressionLayer::new()
            .quality(CompressionLevel::Precise(1))
            .compress_when(SizeAbove::new(COMPRESS_ABOVE_BYTES));
        let inner = routes
            .fallback(error_response::not_found)
            .method_not_allowed_fallback(error_response::method_not_allowed)
            .layer(DefaultBodyLimit::max(self.services.limits.body_bytes))
            .layer(compression)
            .layer(middleware::from_fn(trace::trace));
        let with_cors = match headers::cors(&self.http) {
            Some(cors) => inner.layer(cors),
            None => inner,
        };
        with_cors
            .layer(middleware::from_fn_with_state(self.clone(), host_check::check))
            .layer(middleware::from_fn_with_state(self.clone(), headers::secure))
            .with_state(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::{auth::HashCost, clock::Clock, config::Limits, db, graphql::GraphqlApi, services::Services};

    #[tokio::test]
    async fn a_panic_in_a_handler_is_an_internal_error_with_the_id_of_the_request() {
        async fn panic() -> &'static str {
            panic!("a secret")
        }
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let db =
            db::Db::connect(&url, db::Settings { create: true, ..db::Settings::default() }).await.expect("connects");
        db.migrate().await.expect("migrates");
        let services = Services::new(db, Clock::System, Limits::default(), HashCost::Minimal).await.expect("starts");
        let app = App { api: GraphqlApi::default(), services: Arc::new(services), http: Arc::default() };
        let router = app.with_middleware(Router::new().route("/", get(panic)));
        for _ in 0..2 {
            let request = Request::get("/").body(Body::empty()).expect("a request");
            let response = router.clone().oneshot(request).await.expect("answers");
            assert_eq!(response.status(), 500);
            let id = response.headers()["x-request-id"].to_str().expect("text").to_owned();
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            let start = r#"{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL","requestId":""#;
            assert_eq!(body, format!("{start}{id}\"}}}}]}}"));
        }
    }
}
