//! Access tokens whose signature was found right: checking one takes longer than a small query, and clients send the same
//! token many times. Whether it still holds is asked each time: its times, its key, its login.

use std::sync::{Mutex, PoisonError};

use hashlink::LruCache;

use super::token::AccessTokenClaims;
use crate::{db::api_tokens::TokenHash, model::KeyId};

/// Access tokens that are remembered; those that were not sent for the longest are forgotten first.
const MOST: usize = 10_000;

/// What a token says, once its signature was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    /// The key that signed it.
    pub kid: KeyId,
    pub subject: AccessTokenClaims,
    /// From when, and until before when it holds, in seconds since 1970.
    pub begins: i64,
    pub ends: i64,
}

/// The tokens that were checked, by their SHA-256: no token stays in memory.
pub(super) struct CheckedTokens(Mutex<LruCache<TokenHash, Checked>>);

impl Default for CheckedTokens {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

impl std::fmt::Debug for CheckedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckedTokens").finish_non_exhaustive()
    }
}

impl CheckedTokens {
    pub fn find(&self, hash: &TokenHash) -> Option<Checked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash).copied()
    }

    pub fn keep(&self, hash: TokenHash, checked: Checked) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, checked);
    }
}
