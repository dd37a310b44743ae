//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a mutation that is sent again with the same key
//! is answered as the first time, and not done again.
//!
//! Queries change nothing and anonymous callers have no keys, so for them the header means nothing. The answers of some
//! mutations hold secrets, which are stored nowhere: `login` and `refreshToken` are done again (and are made for it),
//! `createApiToken` is refused with the header.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};

use super::media_type::MediaType;
use crate::{
    auth::Authenticated,
    db::Db,
    error::{Error, ErrorCode, Result},
    graphql::{ExecutionResult, IdempotencyMode, Receipt},
    services::{
        Services,
        idempotency::{self, Claim, ClaimedKey, KeyedRequest},
    },
};

pub static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Tells an answer that was kept from a first one.
pub static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Bytes of an answer that are stored for a day.
const MAX_KEPT_BYTES: usize = 256 * 1024;
/// Bytes of a key.
const MAX_KEY: usize = 255;

/// A refusal, and its status where the media type lets it show.
pub type Refusal = (StatusCode, Error);

/// Takes the key of a mutation that its principal sent with one.
pub async fn claim(
    services: &Services,
    db: &Db,
    principal: &Authenticated,
    request: &KeyedRequest,
    mode: IdempotencyMode,
) -> Result<Option<Claim>, Refusal> {
    match mode {
        IdempotencyMode::Replay => {}
        IdempotencyMode::Reexecute => return Ok(None),
        IdempotencyMode::Reject => {
            let message = "createApiToken takes no Idempotency-Key: its answer holds a secret, which is not kept";
            return Err((StatusCode::BAD_REQUEST, Error::new(ErrorCode::BadUserInput, message)));
        }
    }
    check(&request.key).map_err(|error| (StatusCode::BAD_REQUEST, error))?;
    idempotency::claim(services, db, principal, request).await.map(Some).map_err(|error| {
        let status = match error.code() {
            ErrorCode::BadUserInput => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::Conflict => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, error)
    })
}

/// The key as it was sent: none, or one. The draft has it in quotes, and most clients leave them away.
pub fn key(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let (line, more) = (lines.next()?, lines.next());
    // What cannot be a key is refused when it is known that it matters.
    let text = if more.is_some() { "" } else { line.to_str().unwrap_or_default() };
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Some(bare.unwrap_or(text).to_owned())
}

fn check(key: &str) -> Result<()> {
    let right = (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let message = "the header Idempotency-Key stands once, with 1 to 255 visible ASCII characters";
    if right { Ok(()) } else { Err(Error::new(ErrorCode::BadUserInput, message)) }
}

/// Keeps the answer of what was done; what was not done may be sent again. When that fails the principal still gets the
/// answer: the key then stays taken.
pub async fn settle(services: &Services, db: &Db, claimed: ClaimedKey, answer: &ExecutionResult) {
    let done = if answer.executed && !answer.is_retryable() {
        match answer.to_json_without_extensions() {
            Ok(text) if text.len() > MAX_KEPT_BYTES => {
                idempotency::store_response(services, db, claimed, &too_long_to_keep(text.len())).await
            }
            Ok(text) => idempotency::store_response(services, db, claimed, &text).await,
            Err(error) => Err(error),
        }
    } else {
        idempotency::release(db, claimed).await
    };
    if let Err(error) = done {
        tracing::error!(error = error.chain(), "the answer of an idempotent request could not be kept");
    }
}

/// What is answered the second time when the first answer was too long to be stored for a day.
fn too_long_to_keep(bytes: usize) -> String {
    let message = format!(
        "the mutation was done, but its answer of {bytes} bytes exceeds the {MAX_KEPT_BYTES} that are stored for an \
         Idempotency-Key: read what it changed, and select less next time"
    );
    let error = serde_json::json!({ "message": message, "extensions": { "code": ErrorCode::Conflict.as_str() } });
    serde_json::json!({ "data": null, "errors": [error] }).to_string()
}

/// The kept answer, with the receipt of this request if it asked for one.
pub fn replay(media_type: MediaType, kept: String, receipt: Option<Receipt>) -> Response {
    let mut body = kept;
    if let Some(receipt) = receipt {
        // What is kept is an object.
        body.pop();
        body.push_str(",\"extensions\":{\"receipt\":");
        body.push_str(&receipt.to_json());
        body.push_str("}}");
    }
    let mut response = Body::from(body).into_response();
    media_type.mark(&mut response);
    response.headers_mut().insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line_of_visible_ascii_in_quotes_or_not() {
        for (lines, expected) in [
            (&["abc"][..], Some("abc")),
            (&["\"8e03978e-40d5-43e8-bc93-6894a57f9324\""], Some("8e03978e-40d5-43e8-bc93-6894a57f9324")),
            (&["\"a"], Some("\"a")),
            (&[""], None),
            (&["\"\""], None),
            (&["a b"], None),
            (&["a", "a"], None),
            (&["ä"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&IDEMPOTENCY_KEY, HeaderValue::from_bytes(line.as_bytes()).expect("a header"));
            }
            let key = key(&headers).expect("a header");
            assert_eq!(check(&key).is_ok().then_some(&*key), expected, "{lines:?}");
        }
        assert!(key(&HeaderMap::new()).is_none());
        assert!(check(&"k".repeat(255)).is_ok() && check(&"k".repeat(256)).is_err());
    }
}
