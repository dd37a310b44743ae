//! `/.well-known/jwks.json`: the public keys of access tokens (RFC 7517, RFC 8037), for programs that check them themselves.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{App, RequestId, media_type::MediaType, refusal::refuse};

/// A verifier that keeps the keys asks again for a `kid` it does not know; one that does not, is a minute late.
const CACHE: &str = "public, max-age=60";

pub async fn jwks(State(app): State<App>, Extension(id): Extension<RequestId>, headers: HeaderMap) -> Response {
    let keys = match app.services.public_keys().await {
        Ok(keys) => keys,
        Err(error) => {
            let media_type = MediaType::accepted(&headers).unwrap_or(MediaType::Json);
            return refuse(media_type, StatusCode::SERVICE_UNAVAILABLE, &error, &id);
        }
    };
    let keys: Vec<_> = keys
        .iter()
        .map(|key| {
            let x = URL_SAFE_NO_PAD.encode(&key.bytes);
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid.to_string(), "x": x })
        })
        .collect();
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, CACHE)];
    (headers, json!({ "keys": keys }).to_string()).into_response()
}
