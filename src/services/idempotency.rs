//! Mutations that a client sends again because it saw no answer (`Idempotency-Key`): done once, answered as often as asked.
//!
//! A key is taken before the mutation begins, in a transaction of its own, and its answer is kept after. When an instance
//! dies in between, the mutation may or may not have been done: the key then stays taken without an answer until its life
//! is over, and whoever sends it again is told so. A second execution would be the greater evil.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::Services;
use crate::{
    auth::{Authenticated, Credential},
    db::{
        Db,
        idempotency_keys::{self, Kept, Owned},
    },
    error::{Error, ErrorCode, Result},
    model::Timestamp,
};

/// How long a key lives, in seconds.
const LIFE: i64 = 24 * 60 * 60;
/// What a client is told to wait while the first request is under way, in seconds.
const RETRY_AFTER: u64 = 1;

/// A request under a key.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The client's key.
    pub key: String,
    /// All that makes the request what it is, in a fixed form.
    pub request: String,
}

/// What becomes of a request under a key.
#[derive(Debug)]
pub enum Claim {
    /// It is the first: do it, then [`keep`] the answer or [`give_back`] the key.
    First(Ticket),
    /// It was done before, with this answer.
    Done(String),
}

/// A key that is taken.
#[derive(Debug)]
pub struct Ticket(Owned);

/// Takes the key, or tells what was answered. CONFLICT while the first request is under way, which `extensions.retryAfter`
/// tells from one that never came to an answer; `BAD_USER_INPUT` when the key was used for something else.
pub async fn claim(services: &Services, db: &Db, principal: &Authenticated, sent: &Sent) -> Result<Claim> {
    let now = services.clock.now();
    let owned = Owned { user: principal.user.id, key: URL_SAFE_NO_PAD.encode(Sha256::digest(&sent.key)) };
    let hash = request_hash(principal, sent);
    let mut tx = db.begin().await?;
    idempotency_keys::delete_one_old(&mut tx, &owned, now.plus_seconds(-LIFE)).await?;
    let first = idempotency_keys::insert(&mut tx, &owned, &hash, now).await?;
    let kept = if first { None } else { idempotency_keys::find(&mut tx, &owned).await? };
    tx.commit().await?;
    match kept {
        None if first => Ok(Claim::First(Ticket(owned))),
        // Given back between the two statements.
        None => Err(under_way()),
        Some(kept) if kept.request_hash != hash => Err(Error::new(
            ErrorCode::BadUserInput,
            "this Idempotency-Key was used for another request: a key is for one request and its repetitions",
        )),
        Some(Kept { answer: Some(answer), .. }) => Ok(Claim::Done(answer)),
        Some(kept) if now < kept.created_at.plus(services.limits.request_timeout) => Err(under_way()),
        Some(_) => Err(Error::new(
            ErrorCode::Conflict,
            "the first request with this Idempotency-Key broke off, and whether it was done is not known: look at what \
             it should have changed, and if it is not there, send it with a new key",
        )),
    }
}

fn under_way() -> Error {
    Error::new(ErrorCode::Conflict, "the first request with this Idempotency-Key is still under way")
        .with_retry_after(RETRY_AFTER)
}

/// Keeps the answer for the rest of the key's life.
pub async fn keep(services: &Services, db: &Db, ticket: Ticket, answer: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    idempotency_keys::set_answer(&mut tx, &ticket.0, answer).await?;
    tx.commit().await?;
    sweep(db, services.clock.now()).await;
    Ok(())
}

/// Gives the key back after a request that did nothing.
pub async fn give_back(db: &Db, ticket: Ticket) -> Result<()> {
    let mut tx = db.begin().await?;
    idempotency_keys::delete(&mut tx, &ticket.0).await?;
    tx.commit().await
}

/// Removes what nobody can ask for any more. In a transaction of its own: two that do it at once may get into each
/// other's way, and then the next one does it.
async fn sweep(db: &Db, now: Timestamp) {
    let swept = async {
        let mut tx = db.begin().await?;
        idempotency_keys::delete_old(&mut tx, now.plus_seconds(-LIFE)).await?;
        tx.commit().await
    };
    if let Err(error) = swept.await {
        tracing::warn!(error = error.chain(), "old idempotency keys could not be removed");
    }
}

/// What tells requests apart. It may hold a password, so it takes the client's key to compute it, of which only the hash
/// is stored. A token for scripts is part of it: with fewer scopes nobody reads what was answered to more.
fn request_hash(principal: &Authenticated, sent: &Sent) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, sent.key.as_bytes());
    let credential = match &principal.credential {
        Credential::AuthSession(_) => "login".to_owned(),
        Credential::ApiToken(id, _) => id.to_string(),
    };
    hmac::sign(&key, format!("{credential}\n{}", sent.request).as_bytes()).as_ref().to_vec()
}
