//! Idempotency keys (the `Idempotency-Key` header, draft-ietf-httpapi-idempotency-key-header): a mutation that a client retries
//! is executed once, and retries replay its response.
//!
//! A key is claimed before the mutation begins, in a transaction of its own, and the response is stored afterwards. If an
//! instance crashes in between, it is unknown whether the mutation was executed: the key stays claimed without a response until
//! it expires, and retries get an error that says so. A second execution would do more harm.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::Services;
use crate::{
    auth::{Authenticated, Credential},
    db::{
        Db,
        idempotency_keys::{self, StoredRequest, UserKey},
    },
    error::{Error, ErrorCode, Result},
    model::Timestamp,
};

/// The lifetime of a key in seconds.
const LIFETIME: i64 = 24 * 60 * 60;
/// The `Retry-After` of a retry while the first request is in progress, in seconds.
const RETRY_AFTER: u64 = 1;

/// A request with an idempotency key.
#[derive(Clone, Debug)]
pub struct KeyedRequest {
    /// The client's key.
    pub key: String,
    /// Everything that distinguishes the request from others, in a canonical form.
    pub content: String,
}

/// The result of claiming a key.
#[derive(Debug)]
pub enum Claim {
    /// The key is new: execute the request, then [`store_response`] or [`release`] the key.
    New(ClaimedKey),
    /// The request was executed before, with this response.
    Replay(String),
}

/// A claimed key, whose response is not stored yet.
#[derive(Debug)]
pub struct ClaimedKey(UserKey);

/// Claims a key, or returns the stored response. The error is `CONFLICT` while the first request is in progress, with
/// `extensions.retryAfter`, and after one that stored no response, without it; `BAD_USER_INPUT` if the key was used for
/// another request.
pub async fn claim(services: &Services, db: &Db, principal: &Authenticated, request: &KeyedRequest) -> Result<Claim> {
    let now = services.clock.now();
    let owned = UserKey { user: principal.user.id, key: URL_SAFE_NO_PAD.encode(Sha256::digest(&request.key)) };
    let fingerprint = fingerprint(principal, request);
    let mut tx = db.begin().await?;
    idempotency_keys::delete_if_expired(&mut tx, &owned, now.plus_seconds(-LIFETIME)).await?;
    let is_new = idempotency_keys::insert(&mut tx, &owned, &fingerprint, now).await?;
    let stored = if is_new { None } else { idempotency_keys::find(&mut tx, &owned).await? };
    tx.commit().await?;
    match stored {
        None if is_new => Ok(Claim::New(ClaimedKey(owned))),
        // Released between the two statements.
        None => Err(in_progress()),
        Some(stored) if stored.request_hash != fingerprint => Err(Error::new(
            ErrorCode::BadUserInput,
            "this Idempotency-Key was used for another request: use a new key for each request, and the same key for its retries",
        )),
        Some(StoredRequest { response: Some(answer), .. }) => Ok(Claim::Replay(answer)),
        Some(stored) if now < stored.created_at.plus(services.limits.request_timeout) => Err(in_progress()),
        Some(_) => Err(Error::new(
            ErrorCode::Conflict,
            "the first request with this Idempotency-Key was interrupted, and it is unknown whether it was executed: read \
             the data that it should have changed, and if they are unchanged, send the request with a new key",
        )),
    }
}

fn in_progress() -> Error {
    Error::new(ErrorCode::Conflict, "the first request with this Idempotency-Key is still in progress")
        .with_retry_after(RETRY_AFTER)
}

/// Stores the response until the key expires.
pub async fn store_response(services: &Services, db: &Db, key: ClaimedKey, response: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    idempotency_keys::set_response(&mut tx, &key.0, response).await?;
    tx.commit().await?;
    delete_expired(db, services.clock.now()).await;
    Ok(())
}

/// Releases the key of a request that changed nothing.
pub async fn release(db: &Db, key: ClaimedKey) -> Result<()> {
    let mut tx = db.begin().await?;
    idempotency_keys::delete(&mut tx, &key.0).await?;
    tx.commit().await
}

/// Deletes expired keys, in a transaction of its own: a conflict with a concurrent one must not fail the request, and the next
/// request deletes them.
async fn delete_expired(db: &Db, now: Timestamp) {
    let deleted = async {
        let mut tx = db.begin().await?;
        idempotency_keys::delete_expired(&mut tx, now.plus_seconds(-LIFETIME)).await?;
        tx.commit().await
    };
    if let Err(error) = deleted.await {
        tracing::warn!(error = error.chain(), "expired idempotency keys could not be deleted");
    }
}

/// The fingerprint that distinguishes requests. A request may contain a password: the fingerprint is keyed with the client's
/// idempotency key, of which only the hash is stored. It includes the API token, so that a token with fewer scopes cannot read
/// the response to one with more.
fn fingerprint(principal: &Authenticated, request: &KeyedRequest) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, request.key.as_bytes());
    let credential = match &principal.credential {
        Credential::AuthSession(_) => "login".to_owned(),
        Credential::ApiToken(id, _) => id.to_string(),
    };
    hmac::sign(&key, format!("{credential}\n{}", request.content).as_bytes()).as_ref().to_vec()
}
