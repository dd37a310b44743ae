//! Caches access tokens with a verified signature: verifying one takes longer than a small query, and clients send the same
//! token many times. Times, key and login session of a cached token are checked on each request.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use hashlink::LruCache;

use super::claims::AccessTokenClaims;
use crate::{db::api_tokens::TokenHash, model::KeyId};

/// The number of entries; the least recently used one is evicted first.
const CAPACITY: usize = 10_000;

/// The contents of a token whose signature was verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct VerifiedToken {
    /// The key that signed it.
    pub kid: KeyId,
    pub claims: AccessTokenClaims,
    /// The token is valid from here on, in seconds since 1970.
    pub not_before: i64,
    /// The token is invalid from here on, in seconds since 1970.
    pub expires_at: i64,
}

/// Verified tokens by their SHA-256; the tokens themselves do not stay in memory.
pub(super) struct VerifiedTokens(Mutex<LruCache<TokenHash, VerifiedToken>>);

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens").finish_non_exhaustive()
    }
}

impl VerifiedTokens {
    pub fn get(&self, hash: &TokenHash) -> Option<VerifiedToken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash).copied()
    }

    pub fn insert(&self, hash: TokenHash, token: VerifiedToken) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, token);
    }
}
