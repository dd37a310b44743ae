//! The signing keys that an instance knows: read again every few seconds, and when a token names a key that is not among
//! them. Which keys count is decided by the server's clock and the database, never by what a token says.

use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::{DecodingKey, EncodingKey};
use tokio::sync::Mutex;

use super::token::{CLOCK_SKEW, LIFETIME};
use crate::{
    db::{Db, Meter, signing_keys},
    error::{Error, Result},
    model::{KeyId, Timestamp},
};

/// For how many seconds after its retirement a key is accepted: the lifetime of the last token that it signed, and the
/// difference between two clocks. Whoever holds a leaked key chooses the times in the token.
pub const ACCEPTED_AFTER_RETIREMENT: i64 = LIFETIME + CLOCK_SKEW;
/// How old the keys may be when they are used, in seconds: within this time a rotation or revocation counts everywhere.
const MAX_AGE: i64 = 5;
/// For how many seconds after reading the keys a token with an unknown key id does not make them be read again, and a
/// failed attempt is not repeated: strangers choose key ids.
const PAUSE: i64 = 1;

/// What anybody may know of a key: enough to check what it signed.
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub kid: KeyId,
    /// 32 bytes (RFC 8032).
    pub bytes: Vec<u8>,
}

/// The keys, shared by all requests of an instance.
pub(super) struct KeySet {
    /// With a meter of its own: no request pays for reading the keys.
    db: Db,
    keys: RwLock<Keys>,
    /// Held while the keys are read.
    reading: Mutex<()>,
}

struct Keys {
    active: Option<(KeyId, EncodingKey)>,
    known: Vec<KnownKey>,
    loaded_at: Timestamp,
    /// When they were last read, whether that succeeded or not.
    attempted_at: Timestamp,
}

struct KnownKey {
    public: PublicKey,
    key: DecodingKey,
    retired_at: Option<Timestamp>,
}

impl KnownKey {
    fn is_accepted(&self, now: Timestamp) -> bool {
        self.retired_at.is_none_or(|at| now < at.plus_seconds(ACCEPTED_AFTER_RETIREMENT))
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet").finish_non_exhaustive()
    }
}

impl KeySet {
    pub async fn load(db: &Db, now: Timestamp) -> Result<Self> {
        let db = db.metered();
        let keys = Keys::load(&db, now).await?;
        keys.active()?;
        Ok(Self { db, keys: RwLock::new(keys), reading: Mutex::default() })
    }

    pub fn meter(&self) -> &Meter {
        self.db.meter()
    }

    /// Runs with the key that signs.
    pub fn with_active<T>(&self, run: impl FnOnce(&KeyId, &EncodingKey) -> Result<T>) -> Result<T> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (kid, key) = keys.active()?;
        run(kid, key)
    }

    /// The public parts of all accepted keys, the newest first.
    pub fn public_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        self.look(|keys| keys.known.iter().filter(|key| key.is_accepted(now)).map(|key| key.public.clone()).collect())
    }

    /// Whether what this key signed is accepted, as far as the keys are known.
    pub fn accepts(&self, kid: KeyId, now: Timestamp) -> bool {
        self.look(|keys| keys.find(kid).is_some_and(|key| key.is_accepted(now)))
    }

    /// The key with this id if it is accepted. An unknown one makes the keys be read again, at most once a second.
    pub async fn find(self: &Arc<Self>, kid: KeyId, now: Timestamp) -> Result<Option<DecodingKey>> {
        self.read_if(move |keys| keys.find(kid).is_none() && is_past(keys.attempted_at, now, PAUSE), now).await?;
        Ok(self.look(|keys| keys.find(kid).filter(|key| key.is_accepted(now)).map(|key| key.key.clone())))
    }

    /// Reads the keys again when they are too old.
    pub async fn refresh(self: &Arc<Self>, now: Timestamp) -> Result<()> {
        let is_due = move |keys: &Keys| is_past(keys.loaded_at, now, MAX_AGE) && is_past(keys.attempted_at, now, PAUSE);
        self.read_if(is_due, now).await
    }

    /// Reads the keys if that is due. Requests that find it due at the same time wait for one reading, which ends even
    /// when the request that began it is given up.
    async fn read_if(self: &Arc<Self>, is_due: impl Fn(&Keys) -> bool + Send + 'static, now: Timestamp) -> Result<()> {
        if !self.look(&is_due) {
            return Ok(());
        }
        let this = Arc::clone(self);
        let reading = tokio::spawn(async move {
            let _reading = this.reading.lock().await;
            if !this.look(&is_due) {
                return Ok(());
            }
            this.change(|keys| keys.attempted_at = now);
            let read = Keys::load(&this.db, now).await?;
            this.change(|keys| *keys = read);
            Ok(())
        });
        reading.await.map_err(Error::internal)?
    }

    fn look<T>(&self, look: impl FnOnce(&Keys) -> T) -> T {
        look(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Keys)) {
        change(&mut self.keys.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Keys {
    async fn load(db: &Db, now: Timestamp) -> Result<Self> {
        let mut active = None;
        let mut known = Vec::new();
        for key in signing_keys::list(db).await? {
            if key.retired_at.is_none() {
                active = Some((key.kid, EncodingKey::from_ed_der(&key.private_key)));
            }
            known.push(KnownKey {
                key: DecodingKey::from_ed_der(&key.public_key),
                retired_at: key.retired_at,
                public: PublicKey { kid: key.kid, bytes: key.public_key },
            });
        }
        Ok(Self { active, known, loaded_at: now, attempted_at: now })
    }

    fn active(&self) -> Result<&(KeyId, EncodingKey)> {
        self.active.as_ref().ok_or_else(|| Error::internal("there is no active signing key"))
    }

    fn find(&self, kid: KeyId) -> Option<&KnownKey> {
        self.known.iter().find(|key| key.public.kid == kid)
    }
}

/// Whether so many seconds have passed. Also when the clock was set back: nobody knows how many have passed then.
fn is_past(at: Timestamp, now: Timestamp, seconds: i64) -> bool {
    now >= at.plus_seconds(seconds) || at >= now.plus_seconds(seconds)
}
