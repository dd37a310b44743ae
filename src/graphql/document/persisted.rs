//! Automatic persisted queries (Apollo's protocol): a client sends the hash of a document, and its text only when the
//! server does not know it. Which documents are kept is a matter of speed alone: a client whose document is gone sends it
//! once more.

use std::sync::{Arc, Mutex, PoisonError};

use hashlink::LruCache;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorCode, Result};

/// What a document is known by: SHA-256 of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// From hexadecimal digits, as clients send it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let high = char::from(digits[0]).to_digit(16)?;
            let low = char::from(digits[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(hash))
    }

    /// Whether it is the hash of this text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        Sha256::digest(text).as_slice() == self.0
    }
}

/// The documents that are known. Those of callers who have not logged in are kept apart: they cannot crowd out others.
#[derive(Debug)]
pub struct Persisted {
    known: Mutex<Store>,
    strangers: Mutex<Store>,
}

impl Default for Persisted {
    fn default() -> Self {
        Self { known: Mutex::new(Store::new(8 << 20)), strangers: Mutex::new(Store::new(256 << 10)) }
    }
}

impl Persisted {
    /// The text of a document.
    pub fn find(&self, hash: Hash) -> Result<Arc<str>> {
        let find = |store: &Mutex<Store>| store.lock().unwrap_or_else(PoisonError::into_inner).find(hash);
        find(&self.known)
            .or_else(|| find(&self.strangers))
            // The sentence is a part of the protocol: some clients look at it instead of the code.
            .ok_or_else(|| Error::new(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound"))
    }

    /// Keeps a document, which must be within the limits and have this hash.
    pub fn keep(&self, hash: Hash, text: &str, logged_in: bool) {
        let store = if logged_in { &self.known } else { &self.strangers };
        store.lock().unwrap_or_else(PoisonError::into_inner).keep(hash, text);
    }
}

/// Documents up to a number of bytes; those that were not asked for the longest go first.
struct Store {
    documents: LruCache<Hash, Arc<str>>,
    bytes: usize,
    most: usize,
}

/// What an entry takes beside its text.
const ENTRY: usize = 128;

impl Store {
    fn new(most: usize) -> Self {
        Self { documents: LruCache::new_unbounded(), bytes: 0, most }
    }

    fn find(&mut self, hash: Hash) -> Option<Arc<str>> {
        self.documents.get(&hash).cloned()
    }

    fn keep(&mut self, hash: Hash, text: &str) {
        // One document that takes half of the room is not worth all the others.
        if text.len() > self.most / 2 || self.documents.get(&hash).is_some() {
            return;
        }
        self.bytes += text.len() + ENTRY;
        self.documents.insert(hash, text.into());
        while self.bytes > self.most {
            let Some((_, oldest)) = self.documents.remove_lru() else { break };
            self.bytes -= oldest.len() + ENTRY;
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

    fn hash(text: &str) -> Hash {
        Hash(Sha256::digest(text).into())
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let text = "{__typename}";
        let known = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        assert!(Hash::parse(known).expect("a hash").fits(text));
        assert_eq!(Hash::parse(&known.to_uppercase()), Hash::parse(known));
        assert!(!Hash::parse(known).expect("a hash").fits("{ __typename }"));
        for bad in ["", "ecf4", &known[1..], &format!("{known}0"), &known.replace('e', "g"), &"é".repeat(32)] {
            assert_eq!(Hash::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first() {
        let mut store = Store::new(4 * (10 + ENTRY));
        let texts: Vec<_> = (0..6).map(|n| format!("document {n}")).collect();
        for text in &texts[..4] {
            store.keep(hash(text), text);
        }
        assert!(store.find(hash(&texts[0])).is_some());
        for text in &texts[4..] {
            store.keep(hash(text), text);
        }
        let kept: Vec<_> = texts.iter().filter(|text| store.find(hash(text)).is_some()).collect();
        assert_eq!(kept, [&texts[0], &texts[3], &texts[4], &texts[5]]);
        assert_eq!(store.bytes, 4 * (10 + ENTRY));
        store.keep(hash(&texts[0]), &texts[0]);
        assert_eq!(store.bytes, 4 * (10 + ENTRY));
    }

    #[test]
    fn strangers_fill_their_own_room_only() {
        let persisted = Persisted::default();
        persisted.keep(hash("mine"), "mine", true);
        for n in 0..10_000 {
            let text = format!("{{ stranger{n} }}{}", " ".repeat(1_000));
            persisted.keep(hash(&text), &text, false);
        }
        let strangers = persisted.strangers.lock().expect("no panic");
        assert!(strangers.bytes <= strangers.most && strangers.documents.len() < 300, "{strangers:?}");
        drop(strangers);
        assert_eq!(&*persisted.find(hash("mine")).expect("kept"), "mine");
        assert_eq!(persisted.find(hash("other")).expect_err("never seen").code(), ErrorCode::PersistedQueryNotFound);
    }
}
