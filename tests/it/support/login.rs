//! Logins from addresses.

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use serde_json::json;

use super::Reply;

pub const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { accessToken passwordChangeRequired } }";

/// A login as it is sent from an address.
pub fn login_request(address: &str, username: &str, password: &str) -> Request<Body> {
    let body = json!({ "query": LOGIN, "variables": { "input": { "username": username, "password": password } } });
    let peer = std::net::SocketAddr::new(address.parse().expect("an address"), 4711);
    let request = Request::post("/graphql").header("content-type", "application/json").extension(ConnectInfo(peer));
    request.body(Body::from(body.to_string())).expect("a request")
}

/// Logs in from an address.
pub async fn log_in_from(router: &Router, address: &str, username: &str, password: &str) -> Reply {
    Reply::of(router.clone(), login_request(address, username, password)).await
}
