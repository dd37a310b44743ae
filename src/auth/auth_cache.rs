//! Caches the principal of a token for one second: most requests of a principal follow each other closely, and reading the
//! user was half of the statements of a small query. See `docs/decisions/009-authentication-cache.md`.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hashlink::LruCache;

use super::Authenticated;
use crate::{
    db::{Db, api_tokens::TokenHash},
    error::Result,
    model::Timestamp,
};

/// The number of entries; the least recently used one is evicted first.
const CAPACITY: usize = 10_000;
/// How long an entry is valid from the moment before its statement was sent. A change by another process can stay
/// unnoticed for this long.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Principals by the SHA-256 of their tokens. Cheap to clone.
#[derive(Clone)]
pub(super) struct AuthCache(Arc<Mutex<LruCache<TokenHash, Entry>>>);

struct Entry {
    principal: Arc<Authenticated>,
    /// When the login session or the token ends.
    expires_at: Timestamp,
    read: ReadVersion,
}

/// When a principal was read, and at which generation of the accounts.
#[derive(Clone, Copy)]
struct ReadVersion {
    at: Instant,
    generation: u64,
}

impl ReadVersion {
    /// Must be taken before the statement is sent: changes that happen meanwhile may be missing from its result.
    fn now(db: &Db) -> Self {
        Self { at: Instant::now(), generation: db.auth_generation() }
    }

    fn is_fresh(self, now: Self) -> bool {
        self.generation == now.generation && now.at.saturating_duration_since(self.at) < MAX_AGE
    }
}

impl Default for AuthCache {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(CAPACITY))))
    }
}

impl fmt::Debug for AuthCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthCache").finish_non_exhaustive()
    }
}

impl AuthCache {
    /// The principal of a token: the cached one, or what `load` reads from the database, with the time when it expires.
    /// A token without a principal is not cached.
    pub async fn get_or_load(
        &self,
        db: &Db,
        hash: TokenHash,
        now: Timestamp,
        load: impl AsyncFnOnce() -> Result<Option<(Authenticated, Timestamp)>>,
    ) -> Result<Option<Arc<Authenticated>>> {
        let read = ReadVersion::now(db);
        if let Some(principal) = self.get(&hash, now, read) {
            return Ok(Some(principal));
        }
        let Some((principal, expires_at)) = load().await? else { return Ok(None) };
        let principal = Arc::new(principal);
        self.lock().insert(hash, Entry { principal: Arc::clone(&principal), expires_at, read });
        Ok(Some(principal))
    }

    fn get(&self, hash: &TokenHash, now: Timestamp, read: ReadVersion) -> Option<Arc<Authenticated>> {
        let mut entries = self.lock();
        let entry = entries.get(hash).filter(|entry| entry.read.is_fresh(read) && now < entry.expires_at)?;
        Some(Arc::clone(&entry.principal))
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<TokenHash, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
