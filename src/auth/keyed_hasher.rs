//! Keyed hashes of login names. A name typed into a login form may be a password in the wrong field: without the server's
//! key, its stored hash cannot be found by guessing.

use std::{fmt, fmt::Write, sync::Arc};

use aws_lc_rs::hmac;

/// HMAC-SHA-256 with a key that all instances share in the database. Cheap to clone.
#[derive(Clone)]
pub struct KeyedHasher(Arc<hmac::Key>);

impl fmt::Debug for KeyedHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedHasher").finish_non_exhaustive()
    }
}

impl KeyedHasher {
    /// A hasher with this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// The hash of a text in 64 hexadecimal digits. It ignores case and differs for each purpose.
    #[must_use]
    pub fn hash(&self, purpose: &str, text: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{purpose}\0{}", text.to_lowercase()).as_bytes());
        tag.as_ref().iter().fold(String::with_capacity(64), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_depends_on_key_purpose_and_text_but_not_on_case() {
        let hasher = KeyedHasher::new(&[1; 32]);
        let hash = hasher.hash("name", "Hunter2");
        assert_eq!(hash.len(), 64);
        assert_eq!(hash, hasher.hash("name", "hunter2"));
        for other in [hasher.hash("name", "hunter3"), hasher.hash("account", "hunter2")] {
            assert_ne!(hash, other);
        }
        assert_ne!(hash, KeyedHasher::new(&[2; 32]).hash("name", "hunter2"));
    }
}
