//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a repeated mutation with the same key returns the stored
//! response and is not executed again.
//!
//! The key has no effect on queries, which change nothing, and for anonymous principals, which own no keys. The responses of
//! some mutations contain secrets, which are never stored: `login` and `refreshToken` are executed again, and `createApiToken`
//! rejects the key.

use async_graphql::Variables;

use super::{
    document::{Document, IdempotencyMode, canonical_request},
    execution::ExecutionResult,
    request::{Rejection, Step},
};
use crate::{
    auth::Principal,
    db::Db,
    error::{Error, ErrorCode, Result},
    services::{
        Services,
        idempotency::{self, Claim, ClaimedKey, KeyedRequest},
    },
};

/// The size limit of stored responses, in bytes.
const MAX_STORED_BYTES: usize = 256 * 1024;
/// The length limit of keys, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// Claims the key of a mutation; None if the key has no effect.
pub async fn claim(
    services: &Services,
    db: &Db,
    principal: &Principal,
    key: Option<&str>,
    document: &Document,
    variables: &Variables,
) -> Result<Option<Claim>, Rejection> {
    let (Some(key), Some(principal), false) = (key, principal.authenticated(), document.is_query()) else {
        return Ok(None);
    };
    match document.idempotency_mode() {
        IdempotencyMode::Replay => {}
        IdempotencyMode::Reexecute => return Ok(None),
        IdempotencyMode::Reject => {
            let message = "createApiToken does not support Idempotency-Key: its response contains a secret, which is never stored";
            return Err(Step::IdempotencyKey.rejects(Error::new(ErrorCode::BadUserInput, message)));
        }
    }
    check(key).map_err(|error| Step::IdempotencyKey.rejects(error))?;
    let content = canonical_request(&document.source().text, document.operation_name(), variables)
        .map_err(|cause| Step::IdempotencyClaim.rejects(Error::internal(cause)))?;
    let request = KeyedRequest { key: key.to_owned(), content };
    let claim = idempotency::claim(services, db, principal, &request).await;
    claim.map(Some).map_err(|error| Step::IdempotencyClaim.rejects(error))
}

fn check(key: &str) -> Result<()> {
    let is_valid = (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let message = "the request may have one header Idempotency-Key, of 1 to 255 visible ASCII characters";
    if is_valid { Ok(()) } else { Err(Error::new(ErrorCode::BadUserInput, message)) }
}

/// Stores the response of an executed mutation, or releases the key if nothing was executed. If storing fails, the client still
/// gets the response, and the key stays claimed.
pub async fn finish(services: &Services, db: &Db, key: ClaimedKey, result: &ExecutionResult) {
    let done = if result.executed && !result.is_retryable() {
        match result.to_json_without_extensions() {
            Ok(body) if body.len() > MAX_STORED_BYTES => {
                idempotency::store_response(services, db, key, &too_large(body.len())).await
            }
            Ok(body) => idempotency::store_response(services, db, key, &body).await,
            Err(error) => Err(error),
        }
    } else {
        idempotency::release(db, key).await
    };
    if let Err(error) = done {
        tracing::error!(error = error.chain(), "cannot store the response of an idempotent request");
    }
}

/// The replayed response if the first response exceeded the size limit.
fn too_large(bytes: usize) -> String {
    let message = format!(
        "the mutation was executed, but its response of {bytes} bytes exceeds the limit of {MAX_STORED_BYTES} bytes for \
         stored responses: query the changed data, and select fewer fields next time"
    );
    let error = serde_json::json!({ "message": message, "extensions": { "code": ErrorCode::Conflict.as_str() } });
    serde_json::json!({ "data": null, "errors": [error] }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_visible_ascii_characters() {
        for (key, is_valid) in [
            ("abc", true),
            ("8e03978e-40d5-43e8-bc93-6894a57f9324", true),
            ("\"a", true),
            ("", false),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(check(key).is_ok(), is_valid, "{key}");
        }
        assert!(check(&"k".repeat(255)).is_ok() && check(&"k".repeat(256)).is_err());
    }
}
