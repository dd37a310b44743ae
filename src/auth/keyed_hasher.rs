//! Keyed hashes of names that were typed into a login form. A name may be a password in the wrong field, so what is
//! stored of it takes the server's key to be computed.

use std::{fmt, fmt::Write, sync::Arc};

use aws_lc_rs::hmac;

/// HMAC-SHA-256 under a key of the server's own. Cheap to clone.
#[derive(Clone)]
pub struct KeyedHasher(Arc<hmac::Key>);

impl fmt::Debug for KeyedHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedHasher").finish_non_exhaustive()
    }
}

impl KeyedHasher {
    /// By a random key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// 64 hexadecimal digits, the same however the name is capitalised, and others for each purpose.
    #[must_use]
    pub fn hash(&self, purpose: &str, name: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{purpose}\0{}", name.to_lowercase()).as_bytes());
        tag.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_key_purpose_and_name_but_not_on_case() {
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
