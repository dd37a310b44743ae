//! The signing keys of an instance, read again every few seconds and when a token names an unknown key. The database and
//! the server's clock decide which keys are accepted; the times in a token do not.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V2Der},
    signature::{Ed25519KeyPair, KeyPair},
};
use jsonwebtoken::{DecodingKey, EncodingKey};
use tokio::sync::Mutex;

use super::claims::{CLOCK_SKEW, LIFETIME};
use crate::{
    db::{
        Db, Meter,
        signing_keys::{self, SigningKey},
    },
    error::{Error, Result},
    model::{KeyId, Timestamp},
};

/// The seconds for which a retired key is accepted: the lifetime of the last token that it signed, plus the clock skew. This
/// also bounds the use of a leaked key, with which an attacker can sign any times.
pub const ACCEPTED_AFTER_RETIREMENT: i64 = LIFETIME + CLOCK_SKEW;
/// The maximum age of the keys in seconds: a rotation or revocation takes effect on every instance within this time.
const MAX_AGE: i64 = 5;
/// The minimum time between two reads in seconds, also after a failed one: a client can send any key id, and an unknown
/// one triggers a read.
const MIN_READ_INTERVAL: i64 = 1;

/// The public half of a key pair, which verifies signatures.
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub kid: KeyId,
    /// 32 bytes (RFC 8032).
    pub bytes: Vec<u8>,
}

/// The keys, shared by all requests of an instance.
pub(super) struct SigningKeys {
    /// Has its own meter: reading the keys counts for no request.
    db: Db,
    keys: RwLock<Keys>,
    /// Held while the keys are read.
    reading: Mutex<()>,
}

struct Keys {
    active: Option<(KeyId, EncodingKey)>,
    known: Vec<KnownKey>,
    loaded_at: Timestamp,
    /// When the last read began, successful or not.
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

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").finish_non_exhaustive()
    }
}

impl SigningKeys {
    pub async fn load(db: &Db, now: Timestamp) -> Result<Self> {
        let db = db.metered();
        let keys = Keys::load(&db, now).await?;
        keys.active()?;
        Ok(Self { db, keys: RwLock::new(keys), reading: Mutex::default() })
    }

    pub fn meter(&self) -> &Meter {
        self.db.meter()
    }

    /// Calls a function with the active key, which signs new tokens.
    pub fn with_active<T>(&self, run: impl FnOnce(&KeyId, &EncodingKey) -> Result<T>) -> Result<T> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (kid, key) = keys.active()?;
        run(kid, key)
    }

    /// The public parts of all accepted keys, the newest first.
    pub fn public_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        self.with_keys(|keys| {
            keys.known.iter().filter(|key| key.is_accepted(now)).map(|key| key.public.clone()).collect()
        })
    }

    /// Returns true if tokens of this key are accepted, according to the keys in memory.
    pub fn accepts(&self, kid: KeyId, now: Timestamp) -> bool {
        self.with_keys(|keys| keys.find(kid).is_some_and(|key| key.is_accepted(now)))
    }

    /// The accepted key with this id. An unknown id triggers a read of the keys, at most once a second.
    pub async fn find(self: &Arc<Self>, kid: KeyId, now: Timestamp) -> Result<Option<DecodingKey>> {
        self.read_if(
            move |keys| keys.find(kid).is_none() && has_elapsed(keys.attempted_at, now, MIN_READ_INTERVAL),
            now,
        )
        .await?;
        Ok(self.with_keys(|keys| keys.find(kid).filter(|key| key.is_accepted(now)).map(|key| key.key.clone())))
    }

    /// Reads the keys again if they are older than [`MAX_AGE`].
    pub async fn refresh(self: &Arc<Self>, now: Timestamp) -> Result<()> {
        let is_due = move |keys: &Keys| {
            has_elapsed(keys.loaded_at, now, MAX_AGE) && has_elapsed(keys.attempted_at, now, MIN_READ_INTERVAL)
        };
        self.read_if(is_due, now).await
    }

    /// Reads the keys if that is due. Concurrent requests share one read, which completes even when the request that began
    /// it is cancelled.
    async fn read_if(self: &Arc<Self>, is_due: impl Fn(&Keys) -> bool + Send + 'static, now: Timestamp) -> Result<()> {
        if !self.with_keys(&is_due) {
            return Ok(());
        }
        let this = Arc::clone(self);
        let reading = tokio::spawn(async move {
            let _reading = this.reading.lock().await;
            if !this.with_keys(&is_due) {
                return Ok(());
            }
            this.update(|keys| keys.attempted_at = now);
            let read = Keys::load(&this.db, now).await?;
            this.update(|keys| *keys = read);
            Ok(())
        });
        reading.await.map_err(Error::internal)?
    }

    fn with_keys<T>(&self, read: impl FnOnce(&Keys) -> T) -> T {
        read(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn update(&self, update: impl FnOnce(&mut Keys)) {
        update(&mut self.keys.write().unwrap_or_else(PoisonError::into_inner));
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

/// Returns true if so many seconds have elapsed, or if the clock was set back, when the elapsed time is unknown.
fn has_elapsed(at: Timestamp, now: Timestamp, seconds: i64) -> bool {
    now >= at.plus_seconds(seconds) || at >= now.plus_seconds(seconds)
}

/// A new key pair, not stored yet.
pub fn new_signing_key(now: Timestamp) -> Result<SigningKey> {
    let pair = Ed25519KeyPair::generate().map_err(Error::internal)?;
    let private_key: Pkcs8V2Der<'_> = pair.as_der().map_err(Error::internal)?;
    Ok(SigningKey {
        kid: KeyId::new(now),
        private_key: private_key.as_ref().to_vec(),
        public_key: pair.public_key().as_ref().to_vec(),
        created_at: now,
        retired_at: None,
    })
}
