//! Who stands behind a token, kept for a moment: most requests of a principal follow each other closely, and to ask the database
//! each time was half of the statements of a small one. See `docs/decisions/009-authentication-cache.md`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hashlink::LruCache;

use super::Authenticated;
use crate::{
    db::{Db, api_tokens::TokenHash},
    error::Result,
    model::Timestamp,
};

/// Principals that are kept; those who did not ask for the longest are forgotten first.
const MOST: usize = 10_000;
/// How long an answer is used from when it was asked for: so long may a change by another process go unnoticed.
const FRESH: Duration = Duration::from_secs(1);

/// The callers that were asked for lately, by the SHA-256 of their tokens. Cheap to clone.
#[derive(Clone)]
pub struct AuthCache(Arc<Mutex<LruCache<TokenHash, Known>>>);

struct Known {
    principal: Arc<Authenticated>,
    /// When the login or the token ends.
    ends: Timestamp,
    asked: Asked,
}

/// When the database was asked, and which changes it may have missed.
#[derive(Clone, Copy)]
struct Asked {
    at: Instant,
    changes: u64,
}

impl Asked {
    /// Has to come before the statement: what it says of changes that happen meanwhile is not known.
    fn now(db: &Db) -> Self {
        Self { at: Instant::now(), changes: db.auth_generation() }
    }

    fn is_good(self, now: Self) -> bool {
        self.changes == now.changes && now.at.saturating_duration_since(self.at) < FRESH
    }
}

impl Default for AuthCache {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(MOST))))
    }
}

impl std::fmt::Debug for AuthCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthCache").finish_non_exhaustive()
    }
}

impl AuthCache {
    /// Whose token this is: as it was found a moment ago, or as `ask` finds it, with the time when that ends. Nobody is not
    /// kept.
    pub(super) async fn find(
        &self,
        db: &Db,
        hash: TokenHash,
        now: Timestamp,
        ask: impl AsyncFnOnce() -> Result<Option<(Authenticated, Timestamp)>>,
    ) -> Result<Option<Arc<Authenticated>>> {
        let asked = Asked::now(db);
        if let Some(principal) = self.kept(&hash, now, asked) {
            return Ok(Some(principal));
        }
        let Some((principal, ends)) = ask().await? else { return Ok(None) };
        let principal = Arc::new(principal);
        self.lock().insert(hash, Known { principal: Arc::clone(&principal), ends, asked });
        Ok(Some(principal))
    }

    fn kept(&self, hash: &TokenHash, now: Timestamp, asked: Asked) -> Option<Arc<Authenticated>> {
        let mut kept = self.lock();
        let known = kept.get(hash).filter(|known| known.asked.is_good(asked) && now < known.ends)?;
        Some(Arc::clone(&known.principal))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<TokenHash, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
