//! The headers `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) and `Idempotency-Replayed`.

use axum::http::{HeaderMap, HeaderName};

pub static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks the stored response of an earlier request.
pub static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key, with or without the quotes of the draft; empty, which is never valid, if it is not text or occurs twice.
pub fn key(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let (line, other) = (lines.next()?, lines.next());
    let text = if other.is_some() { "" } else { line.to_str().unwrap_or_default() };
    let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Some(unquoted.unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_one_line_with_or_without_quotes() {
        for (lines, expected) in [
            (&["abc"][..], "abc"),
            (&["\"8e03978e-40d5-43e8-bc93-6894a57f9324\""], "8e03978e-40d5-43e8-bc93-6894a57f9324"),
            (&["\"a"], "\"a"),
            (&[""], ""),
            (&["\"\""], ""),
            (&["a b"], "a b"),
            (&["a", "a"], ""),
            (&["ä"], ""),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&IDEMPOTENCY_KEY, HeaderValue::from_bytes(line.as_bytes()).expect("a header"));
            }
            assert_eq!(key(&headers).as_deref(), Some(expected), "{lines:?}");
        }
        assert_eq!(key(&HeaderMap::new()), None);
    }
}
