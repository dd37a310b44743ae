//! Automatic persisted queries (APQ, Apollo's protocol): a client sends the hash of a document, and the document itself only
//! when the server answers `PersistedQueryNotFound`. Eviction costs a client one more round trip and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use hashlink::LruCache;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorCode, Result};

/// The SHA-256 of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentHash([u8; 32]);

impl DocumentHash {
    /// Parses 64 hexadecimal digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(hash))
    }

    /// Returns true if this is the hash of the document.
    #[must_use]
    pub fn matches(&self, document: &str) -> bool {
        Sha256::digest(document).as_slice() == self.0
    }
}

/// The stored documents. Those of anonymous principals have a store of their own, so that they cannot evict others.
#[derive(Debug)]
pub struct PersistedQueries {
    authenticated: Mutex<Store>,
    anonymous: Mutex<Store>,
}

impl Default for PersistedQueries {
    fn default() -> Self {
        Self { authenticated: Mutex::new(Store::new(8 << 20)), anonymous: Mutex::new(Store::new(256 << 10)) }
    }
}

impl PersistedQueries {
    /// The document with this hash, from either store.
    pub fn get(&self, hash: DocumentHash) -> Result<Arc<str>> {
        let get = |store: &Mutex<Store>| store.lock().unwrap_or_else(PoisonError::into_inner).get(hash);
        get(&self.authenticated)
            .or_else(|| get(&self.anonymous))
            // The message is part of the protocol: some clients compare it instead of the code.
            .ok_or_else(|| Error::new(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound"))
    }

    /// Stores a document under its hash. The document must be within the limits.
    pub fn insert(&self, hash: DocumentHash, document: &str, is_authenticated: bool) {
        let store = if is_authenticated { &self.authenticated } else { &self.anonymous };
        store.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, document);
    }
}

/// An LRU cache bounded by bytes.
struct Store {
    documents: LruCache<DocumentHash, Arc<str>>,
    bytes: usize,
    max_bytes: usize,
}

/// Bytes of an entry besides its document.
const ENTRY_BYTES: usize = 128;

impl Store {
    fn new(max_bytes: usize) -> Self {
        Self { documents: LruCache::new_unbounded(), bytes: 0, max_bytes }
    }

    fn get(&mut self, hash: DocumentHash) -> Option<Arc<str>> {
        self.documents.get(&hash).cloned()
    }

    fn insert(&mut self, hash: DocumentHash, document: &str) {
        // A document of half the store's size would evict too many others.
        if document.len() > self.max_bytes / 2 || self.documents.get(&hash).is_some() {
            return;
        }
        self.bytes += document.len() + ENTRY_BYTES;
        self.documents.insert(hash, document.into());
        while self.bytes > self.max_bytes {
            let Some((_, evicted)) = self.documents.remove_lru() else { break };
            self.bytes -= evicted.len() + ENTRY_BYTES;
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("documents", &self.documents.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> DocumentHash {
        DocumentHash(Sha256::digest(text).into())
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let text = "{__typename}";
        let known = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        assert!(DocumentHash::parse(known).expect("a hash").matches(text));
        assert_eq!(DocumentHash::parse(&known.to_uppercase()), DocumentHash::parse(known));
        assert!(!DocumentHash::parse(known).expect("a hash").matches("{ __typename }"));
        for bad in ["", "ecf4", &known[1..], &format!("{known}0"), &known.replace('e', "g"), &"é".repeat(32)] {
            assert_eq!(DocumentHash::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_least_recently_used_document_is_evicted_first() {
        let mut store = Store::new(4 * (10 + ENTRY_BYTES));
        let texts: Vec<_> = (0..6).map(|n| format!("document {n}")).collect();
        for text in &texts[..4] {
            store.insert(hash(text), text);
        }
        assert!(store.get(hash(&texts[0])).is_some());
        for text in &texts[4..] {
            store.insert(hash(text), text);
        }
        let stored: Vec<_> = texts.iter().filter(|text| store.get(hash(text)).is_some()).collect();
        assert_eq!(stored, [&texts[0], &texts[3], &texts[4], &texts[5]]);
        assert_eq!(store.bytes, 4 * (10 + ENTRY_BYTES));
        store.insert(hash(&texts[0]), &texts[0]);
        assert_eq!(store.bytes, 4 * (10 + ENTRY_BYTES));
    }

    #[test]
    fn anonymous_documents_evict_no_others() {
        let persisted = PersistedQueries::default();
        persisted.insert(hash("mine"), "mine", true);
        for n in 0..10_000 {
            let text = format!("{{ f{n} }}{}", " ".repeat(1_000));
            persisted.insert(hash(&text), &text, false);
        }
        let anonymous = persisted.anonymous.lock().expect("no panic");
        assert!(anonymous.bytes <= anonymous.max_bytes && anonymous.documents.len() < 300, "{anonymous:?}");
        drop(anonymous);
        assert_eq!(&*persisted.get(hash("mine")).expect("stored"), "mine");
        assert_eq!(persisted.get(hash("other")).expect_err("never stored").code(), ErrorCode::PersistedQueryNotFound);
    }
}
