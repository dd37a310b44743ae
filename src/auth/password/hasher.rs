//! Hashes and verifies passwords with Argon2id, off the async threads and with bounded concurrency.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use argon2::{Params, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    argon2id::Argon2id,
    legacy_hash::{BcryptHash, LegacyHashes},
    normalization::normalized,
};
use crate::error::{Error, Result};

/// The parameters of Argon2id.
#[derive(Clone, Copy, Debug)]
pub enum HashCost {
    /// 19 MiB, two passes, one lane: the minimum of the OWASP Password Storage Cheat Sheet for Argon2id.
    Owasp,
    /// The smallest parameters, for tests.
    Minimal,
}

/// How many operations may wait for a permit, and for how long. A login takes about 25 ms of a core, a request ten seconds
/// at most.
const QUEUE: usize = 512;
const MAX_WAIT: Duration = Duration::from_secs(8);
/// The `Retry-After` of a rejected operation, in seconds.
const RETRY_AFTER: u64 = 5;

/// Hashes and verifies passwords. Each running operation takes 19 MiB, so their number is limited; the others wait in a
/// bounded queue. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    argon2: Argon2id,
    running: Arc<Semaphore>,
    queued: Arc<Semaphore>,
    /// The hash that is verified for an unknown user, so that the answer takes as long as for a known one.
    dummy: Arc<str>,
    legacy: Arc<LegacyHashes>,
    verified: Arc<AtomicU64>,
}

/// The amount of computation for verification. It compares the timing of two logins without a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCounts {
    /// Runs of Argon2.
    pub argon2: u64,
    /// Rounds of bcrypt.
    pub bcrypt: u64,
}

impl PasswordHasher {
    /// A hasher that runs at most `concurrency` operations at the same time.
    pub fn new(cost: HashCost, concurrency: usize) -> Result<Self> {
        let params = match cost {
            HashCost::Owasp => Params::new(19 * 1024, 2, 1, None),
            HashCost::Minimal => Params::new(Params::MIN_M_COST, 1, 1, None),
        };
        let argon2 = Argon2id::new(params.map_err(Error::internal)?);
        let dummy = argon2.hash_password(b"dummy password").map_err(Error::internal)?.to_string();
        let running = Arc::new(Semaphore::new(concurrency));
        let queued = Arc::new(Semaphore::new(concurrency + QUEUE));
        Ok(Self { argon2, running, queued, dummy: dummy.into(), legacy: Arc::default(), verified: Arc::default() })
    }

    /// Announces that the database holds legacy hashes with this prefix (`$2b$12$`). From here on every failed verification
    /// takes as long as one of theirs.
    pub fn expect_legacy(&self, prefix: &str) {
        self.legacy.expect(prefix);
    }

    /// The amount of computation so far.
    #[must_use]
    pub fn counts(&self) -> HashCounts {
        HashCounts { argon2: self.verified.load(Relaxed), bcrypt: self.legacy.rounds() }
    }

    /// Waits for a permit to hash. The error is `RATE_LIMITED` when the queue is full or the wait takes too long.
    pub async fn acquire(&self) -> Result<HashPermit> {
        let overloaded = || {
            let message = format!("too many logins at the same time: try again in {RETRY_AFTER} s");
            Error::rate_limited(message, RETRY_AFTER)
        };
        let queued = Arc::clone(&self.queued).try_acquire_owned().map_err(|_| overloaded())?;
        let running = timeout(MAX_WAIT, Arc::clone(&self.running).acquire_owned()).await.map_err(|_| overloaded())?;
        let running = running.map_err(Error::internal)?;
        Ok(HashPermit { hasher: self.clone(), permits: Arc::new([queued, running]) })
    }

    /// The PHC string (`$argon2id$v=19$..`) of a password, with a new salt of 16 bytes.
    pub async fn hash(&self, password: SecretString) -> Result<SecretString> {
        self.acquire().await?.hash(password).await
    }

    /// Returns true if the password matches the hash, which may be a legacy hash. Without a hash, or with an unsupported
    /// one, the answer is false after the same work as for a wrong password.
    pub async fn verify(&self, password: SecretString, hash: Option<SecretString>) -> Result<bool> {
        self.acquire().await?.verify(password, hash).await
    }
}

/// The permit for hash operations, one at a time, until it is dropped.
#[derive(Debug)]
pub struct HashPermit {
    hasher: PasswordHasher,
    permits: Arc<[OwnedSemaphorePermit; 2]>,
}

impl HashPermit {
    /// See [`PasswordHasher::hash`].
    pub async fn hash(&self, password: SecretString) -> Result<SecretString> {
        self.hash_if(password, |_| Ok(())).await
    }

    /// As [`hash`](Self::hash), after a check that may take some milliseconds.
    pub async fn hash_if(
        &self,
        password: SecretString,
        check: impl FnOnce(&SecretString) -> Result<()> + Send + 'static,
    ) -> Result<SecretString> {
        self.run(move |hasher| {
            check(&password)?;
            let password = normalized(&password);
            let hash = hasher.argon2.hash_password(password.expose_secret().as_bytes()).map_err(Error::internal)?;
            Ok(SecretString::from(hash.to_string()))
        })
        .await
    }

    /// Returns true if the algorithm or the parameters of a hash are not the current ones, so that a matching password
    /// should be hashed again.
    #[must_use]
    pub fn needs_rehash(&self, hash: &SecretString) -> bool {
        let parameters = |hash: &str| hash.splitn(5, '$').take(4).collect::<Vec<_>>().join("$");
        parameters(hash.expose_secret()) != parameters(&self.hasher.dummy)
    }

    /// See [`PasswordHasher::verify`].
    pub async fn verify(&self, password: SecretString, hash: Option<SecretString>) -> Result<bool> {
        self.run(move |hasher| {
            let bcrypt = hash.as_ref().and_then(BcryptHash::parse);
            // Legacy hashes are those of passwords without normalization.
            if let Some(bcrypt) = &bcrypt
                && hasher.legacy.verify(bcrypt, password.expose_secret().as_bytes())
            {
                return Ok(true);
            }
            let password = normalized(&password);
            let password = password.expose_secret().as_bytes();
            let stored = hash.as_ref().and_then(|hash| PasswordHash::new(hash.expose_secret()).ok());
            let stored = stored.filter(|stored| stored.algorithm.as_str().starts_with("argon2"));
            let matches = if let Some(stored) = stored {
                hasher.argon2.verify_password(password, &stored).is_ok()
            } else {
                let _ = PasswordHash::new(&hasher.dummy).map(|dummy| hasher.argon2.verify_password(password, &dummy));
                false
            };
            hasher.verified.fetch_add(1, Relaxed);
            if !matches {
                hasher.legacy.equalize(bcrypt.as_ref());
            }
            Ok(matches)
        })
        .await
    }

    /// Runs on a blocking thread. The permit is held until the work is done, also when the request is cancelled.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PasswordHasher) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (hasher, permits) = (self.hasher.clone(), Arc::clone(&self.permits));
        let work = move || {
            let result = work(&hasher);
            drop(permits);
            result
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::error::ErrorCode;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[tokio::test]
    async fn hash_is_argon2id_with_owasp_parameters() {
        let hasher = PasswordHasher::new(HashCost::Owasp, 1).expect("parameters");
        let hash = hasher.hash(secret("correct horse")).await.expect("hash");
        assert!(hash.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose_secret());
        assert!(hasher.verify(secret("correct horse"), Some(hash.clone())).await.expect("verify"));
        assert!(!hasher.verify(secret("correct house"), Some(hash)).await.expect("verify"));
    }

    #[tokio::test]
    async fn password_matches_in_every_unicode_form() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        let hash = hasher.hash(secret("Z\u{fc}rich \u{fb01}nal \u{212b}")).await.expect("hash");
        for (form, matches) in [
            ("Z\u{fc}rich final \u{c5}", true),
            ("Zu\u{308}rich final A\u{30a}", true),
            ("\u{ff3a}\u{fc}rich \u{fb01}nal \u{212b}", true),
            ("Zurich final A", false),
            ("z\u{fc}rich final \u{c5}", false),
        ] {
            assert_eq!(hasher.verify(secret(form), Some(hash.clone())).await.expect("verify"), matches, "{form}");
        }
        // Hashes of ASCII passwords that were made without normalization stay valid.
        let ascii = hasher.argon2.hash_password(b"plain ASCII 123 ~").expect("hash").to_string();
        assert!(hasher.verify(secret("plain ASCII 123 ~"), Some(ascii.into())).await.expect("verify"));
    }

    #[tokio::test]
    async fn legacy_hash_verifies_and_needs_rehash() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        let long = "x".repeat(72);
        // Made by libxcrypt; `U*U` is one of the vectors of bcrypt's author.
        for (password, stored, matches) in [
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true),
            ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true),
            ("U*V", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
            ("U*U", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
            ("U*U", "$2b$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false),
            ("an old password ä", "$2b$04$abcdefghijklmnopqrstuu8R87KJSCD6zabKTR/xKQXRQyq8S6o4W", true),
            (&long, "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i", true),
            (&format!("{long}y"), "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i", true),
            (&long[1..], "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i", false),
        ] {
            let found = hasher.verify(secret(password), Some(secret(stored))).await.expect("verify");
            assert_eq!(found, matches, "{password} {stored}");
            assert!(hasher.acquire().await.expect("permit").needs_rehash(&secret(stored)));
        }
        let permit = hasher.acquire().await.expect("permit");
        let current = permit.hash(secret("x")).await.expect("hash");
        assert!(!permit.needs_rehash(&current));
        let stronger = PasswordHasher::new(HashCost::Owasp, 1).expect("parameters");
        assert!(stronger.acquire().await.expect("permit").needs_rehash(&current), "the cost was raised");
    }

    #[tokio::test]
    async fn every_failed_verification_takes_the_same_work() {
        let cost_4 = "$2b$04$abcdefghijklmnopqrstuu8R87KJSCD6zabKTR/xKQXRQyq8S6o4W";
        let cost_5 = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let unsupported_cost = "$2b$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        for (prefixes, rounds) in
            [(&[][..], 0), (&["$2b$04$", "$2b$16$", "$2b$", "x"], 16), (&["$2b$04$", "$2y$07$"], 128)]
        {
            let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
            let current = hasher.hash(secret("right")).await.expect("hash");
            for prefix in prefixes {
                hasher.expect_legacy(prefix);
            }
            let mut stored = vec![None, Some(current.clone()), Some(secret("!")), Some(secret(unsupported_cost))];
            if rounds > 0 {
                stored.push(Some(secret(cost_4)));
            }
            if rounds > 16 {
                stored.push(Some(secret(cost_5)));
            }
            for hash in stored {
                let before = hasher.counts();
                assert!(!hasher.verify(secret("wrong"), hash.clone()).await.expect("verify"));
                let after = hasher.counts();
                let done = (after.argon2 - before.argon2, after.bcrypt - before.bcrypt);
                assert_eq!(done, (1, rounds), "{prefixes:?} {:?}", hash.as_ref().map(ExposeSecret::expose_secret));
            }
            let before = hasher.counts().bcrypt;
            assert!(hasher.verify(secret("right"), Some(current)).await.expect("verify"));
            assert_eq!(hasher.counts().bcrypt, before, "a match takes no extra work");
        }
        // A legacy hash that was not announced counts from its first verification on.
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        hasher.verify(secret("wrong"), Some(secret(cost_5))).await.expect("verify");
        let before = hasher.counts().bcrypt;
        hasher.verify(secret("wrong"), None).await.expect("verify");
        assert_eq!(hasher.counts().bcrypt - before, 32);
    }

    #[tokio::test]
    async fn full_queue_is_rate_limited() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        let running = hasher.acquire().await.expect("permit");
        let mut waiting: Vec<_> = (0..QUEUE).map(|_| Box::pin(hasher.acquire())).collect();
        for permit in &mut waiting {
            assert!(permit.as_mut().now_or_never().is_none(), "one at a time");
        }
        let rejected = hasher.acquire().await.expect_err("full");
        assert_eq!((rejected.code(), rejected.retry_after()), (ErrorCode::RateLimited, Some(RETRY_AFTER)));
        drop(running);
        waiting.remove(0).await.expect("the next permit");
        waiting.clear();
        hasher.acquire().await.expect("an empty queue");
    }

    #[tokio::test]
    async fn invalid_hash_matches_no_password() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        for stored in [None, Some(""), Some("!"), Some("dummy password"), Some("$2b$12$abcdefghijklmnopqrstuv")] {
            assert!(!hasher.verify(secret("dummy password"), stored.map(secret)).await.expect("verify"));
        }
    }
}
