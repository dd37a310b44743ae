//! JSON as text.

/// JSON as the database stores it, passed to the client without being parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(pub String);

impl AsRef<str> for RawJson {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
