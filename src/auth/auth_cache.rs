//! Who stands behind a token, kept for a moment: most requests of a caller follow each other closely, and to ask the database
//! each time was half of the statements of a small one. See `docs/decisions/009-authentication-cache.md`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hashlink::LruCache;

use super::SignedIn;
use crate::{
    db::{Db, api_tokens::TokenHash},
    error::Result,
    model::Timestamp,
};

/// Callers that are kept; those who did not ask for the longest are forgotten first.
const MOST: usize = 10_000;
/// How long an answer is used from when it was asked for: so long may a change by another process go unnoticed.
const FRESH: Duration = Duration::from_secs(1);

/// The callers that were asked for lately, by the SHA-256 of their tokens. Cheap to clone.
#[derive(Clone)]
pub struct Callers(Arc<Mutex<LruCache<TokenHash, Known>>>);

struct Known {
    caller: Arc<SignedIn>,
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
        Self { at: Instant::now(), changes: db.account_changes() }
    }

    fn is_good(self, now: Self) -> bool {
        self.changes == now.changes && now.at.saturating_duration_since(self.at) < FRESH
    }
}

impl Default for Callers {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(MOST))))
    }
}

impl std::fmt::Debug for Callers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callers").finish_non_exhaustive()
    }
}

impl Callers {
    /// Whose token this is: as it was found a moment ago, or as `ask` finds it, with the time when that ends. Nobody is not
    /// kept.
    pub(super) async fn find(
        &self,
        db: &Db,
        hash: TokenHash,
        now: Timestamp,
        ask: impl AsyncFnOnce() -> Result<Option<(SignedIn, Timestamp)>>,
    ) -> Result<Option<Arc<SignedIn>>> {
        let asked = Asked::now(db);
        if let Some(caller) = self.kept(&hash, now, asked) {
            return Ok(Some(caller));
        }
        let Some((caller, ends)) = ask().await? else { return Ok(None) };
        let caller = Arc::new(caller);
        self.lock().insert(hash, Known { caller: Arc::clone(&caller), ends, asked });
        Ok(Some(caller))
    }

    fn kept(&self, hash: &TokenHash, now: Timestamp, asked: Asked) -> Option<Arc<SignedIn>> {
        let mut kept = self.lock();
        let known = kept.get(hash).filter(|known| known.asked.is_good(asked) && now < known.ends)?;
        Some(Arc::clone(&known.caller))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<TokenHash, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
