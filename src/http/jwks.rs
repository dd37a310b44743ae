//! `/.well-known/jwks.json`: the public keys of access tokens (RFC 7517, RFC 8037), for programs that verify tokens themselves.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{App, RequestId, error_response::error_response, media_type::ResponseMediaType};
use crate::services::signing_keys;

/// Verifiers fetch the keys again for an unknown `kid`; others see a new key after a minute.
const CACHE: &str = "public, max-age=60";

pub async fn jwks(State(app): State<App>, Extension(id): Extension<RequestId>, headers: HeaderMap) -> Response {
    let keys = match signing_keys::public_keys(&app.services.access_tokens, app.services.clock.now()).await {
        Ok(keys) => keys,
        Err(error) => {
            return error_response(
                ResponseMediaType::accepted_or_json(&headers),
                StatusCode::SERVICE_UNAVAILABLE,
                &error,
                &id,
            );
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
