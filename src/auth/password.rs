//! Password hashes: Argon2id in PHC strings, computed off the async threads and only a few at a time. A password is
//! hashed and checked in one Unicode form, so that it does not matter which keyboard wrote it.

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
use unicode_normalization::UnicodeNormalization;

use super::{
    argon2id::Argon2id,
    older_hash::{Bcrypt, OlderHashes},
};
use crate::error::{Error, Result};

/// How much work a hash is.
#[derive(Clone, Copy, Debug)]
pub enum HashCost {
    /// 19 MiB, two passes, one lane: the OWASP Password Storage Cheat Sheet's minimum for Argon2id.
    Owasp,
    /// Next to nothing, for tests that log in a hundred times.
    Minimal,
}

/// The one form in which a password counts (NFKC): what looks alike is the same. ASCII is in it already.
pub(super) fn normalised(password: &SecretString) -> SecretString {
    SecretString::from(password.expose_secret().nfkc().collect::<String>())
}

/// Whether these are the same password.
#[must_use]
pub fn is_same_password(a: &SecretString, b: &SecretString) -> bool {
    normalised(a).expose_secret() == normalised(b).expose_secret()
}

/// How many may wait for their permit, and how long: a login takes some 25 ms of a core, and a request ten seconds.
const QUEUE: usize = 512;
const PATIENCE: Duration = Duration::from_secs(8);
/// What the others are told to wait, in seconds.
const RETRY_AFTER: u64 = 5;

/// Hashes and verifies passwords. Each running hash takes 19 MiB, so the number at a time is bounded; the rest wait.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    argon2: Argon2id,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// What a login is checked against when there is no such user, so that it takes as long.
    dummy: Arc<str>,
    older: Arc<OlderHashes>,
    verified: Arc<AtomicU64>,
}

/// How much was computed to verify passwords: by it two logins that should take as long can be compared without a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCounts {
    /// Runs of Argon2.
    pub argon2: u64,
    /// Rounds of bcrypt.
    pub bcrypt: u64,
}

impl PasswordHasher {
    /// At most `threads` hashes at the same time.
    pub fn new(strength: HashCost, threads: usize) -> Result<Self> {
        let params = match strength {
            HashCost::Owasp => Params::new(19 * 1024, 2, 1, None),
            HashCost::Minimal => Params::new(Params::MIN_M_COST, 1, 1, None),
        };
        let argon2 = Argon2id::new(params.map_err(Error::internal)?);
        let dummy = argon2.hash_password(b"nobody's password").map_err(Error::internal)?.to_string();
        let running = Arc::new(Semaphore::new(threads));
        let waiting = Arc::new(Semaphore::new(threads + QUEUE));
        Ok(Self { argon2, running, waiting, dummy: dummy.into(), older: Arc::default(), verified: Arc::default() })
    }

    /// Hashes of an older program that begin like this (`$2b$12$`) are in the database: whatever is refused from here on
    /// takes their time too.
    pub fn expect_older(&self, beginning: &str) {
        self.older.expect(beginning);
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> HashCounts {
        HashCounts { argon2: self.verified.load(Relaxed), bcrypt: self.older.rounds() }
    }

    /// Waits for a place among the few who may hash at a time; when too many wait already, the answer is `RATE_LIMITED`.
    pub async fn acquire(&self) -> Result<HashPermit> {
        let crowded = || Error::rate_limited("too many log in at the same time: try again in a moment", RETRY_AFTER);
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| crowded())?;
        let running = timeout(PATIENCE, Arc::clone(&self.running).acquire_owned()).await.map_err(|_| crowded())?;
        let running = running.map_err(Error::internal)?;
        Ok(HashPermit { hasher: self.clone(), places: Arc::new([waiting, running]) })
    }

    /// The PHC string (`$argon2id$v=19$..`) of a password, with a fresh salt of 16 bytes.
    pub async fn hash(&self, password: SecretString) -> Result<SecretString> {
        self.acquire().await?.hash(password).await
    }

    /// Whether the password belongs to the hash, which may be an older program's. Without a hash, or with one that nobody
    /// knows, the answer is no after the same work as for any other password that does not fit.
    pub async fn verify(&self, password: SecretString, hash: Option<SecretString>) -> Result<bool> {
        self.acquire().await?.verify(password, hash).await
    }
}

/// A place among the few who may hash at a time, until it is dropped.
#[derive(Debug)]
pub struct HashPermit {
    hasher: PasswordHasher,
    places: Arc<[OwnedSemaphorePermit; 2]>,
}

impl HashPermit {
    /// See [`PasswordHasher::hash`].
    pub async fn hash(&self, password: SecretString) -> Result<SecretString> {
        self.hash_if(password, |_| Ok(())).await
    }

    /// The same for a password that has to pass a check first, which may take its time.
    pub async fn hash_if(
        &self,
        password: SecretString,
        check: impl FnOnce(&SecretString) -> Result<()> + Send + 'static,
    ) -> Result<SecretString> {
        self.run(move |hasher| {
            check(&password)?;
            let password = normalised(&password);
            let hash = hasher.argon2.hash_password(password.expose_secret().as_bytes()).map_err(Error::internal)?;
            Ok(SecretString::from(hash.to_string()))
        })
        .await
    }

    /// Whether a hash is not as this program makes them, so that a password that fits it is to be hashed again.
    #[must_use]
    pub fn is_outdated(&self, hash: &SecretString) -> bool {
        let parameters = |hash: &str| hash.splitn(5, '$').take(4).collect::<Vec<_>>().join("$");
        parameters(hash.expose_secret()) != parameters(&self.hasher.dummy)
    }

    /// See [`PasswordHasher::verify`].
    pub async fn verify(&self, password: SecretString, hash: Option<SecretString>) -> Result<bool> {
        self.run(move |hasher| {
            let older = hash.as_ref().and_then(Bcrypt::of);
            // The older program knew no forms.
            if let Some(bcrypt) = &older
                && hasher.older.verify(bcrypt, password.expose_secret().as_bytes())
            {
                return Ok(true);
            }
            let password = normalised(&password);
            let password = password.expose_secret().as_bytes();
            let stored = hash.as_ref().and_then(|hash| PasswordHash::new(hash.expose_secret()).ok());
            let stored = stored.filter(|stored| stored.algorithm.as_str().starts_with("argon2"));
            let fits = if let Some(stored) = stored {
                hasher.argon2.verify_password(password, &stored).is_ok()
            } else {
                let _ = PasswordHash::new(&hasher.dummy).map(|dummy| hasher.argon2.verify_password(password, &dummy));
                false
            };
            hasher.verified.fetch_add(1, Relaxed);
            if !fits {
                hasher.older.pad(older.as_ref());
            }
            Ok(fits)
        })
        .await
    }

    /// The place is kept until the work is done, also when nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PasswordHasher) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (hasher, places) = (self.hasher.clone(), Arc::clone(&self.places));
        let work = move || {
            let done = work(&hasher);
            drop(places);
            done
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
    async fn a_hash_is_argon2id_with_the_owasp_parameters_and_verifies() {
        let hasher = PasswordHasher::new(HashCost::Owasp, 1).expect("parameters");
        let hash = hasher.hash(secret("correct horse")).await.expect("hash");
        assert!(hash.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose_secret());
        assert!(hasher.verify(secret("correct horse"), Some(hash.clone())).await.expect("verify"));
        assert!(!hasher.verify(secret("correct house"), Some(hash)).await.expect("verify"));
    }

    #[tokio::test]
    async fn a_password_is_the_same_in_every_unicode_form() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        let hash = hasher.hash(secret("Z\u{fc}rich \u{fb01}nal \u{212b}")).await.expect("hash");
        for (form, fits) in [
            ("Z\u{fc}rich final \u{c5}", true),
            ("Zu\u{308}rich final A\u{30a}", true),
            ("\u{ff3a}\u{fc}rich \u{fb01}nal \u{212b}", true),
            ("Zurich final A", false),
            ("z\u{fc}rich final \u{c5}", false),
        ] {
            assert_eq!(hasher.verify(secret(form), Some(hash.clone())).await.expect("verify"), fits, "{form}");
        }
        // As they were hashed before there was a form.
        let ascii = hasher.argon2.hash_password(b"plain ASCII 123 ~").expect("hash").to_string();
        assert!(hasher.verify(secret("plain ASCII 123 ~"), Some(ascii.into())).await.expect("verify"));
    }

    #[tokio::test]
    async fn hashes_of_the_older_program_verify_and_are_to_be_replaced() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        let long = "x".repeat(72);
        // Made by libxcrypt; `U*U` is one of the vectors of bcrypt's author.
        for (password, stored, fits) in [
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
            assert_eq!(found, fits, "{password} {stored}");
            assert!(hasher.acquire().await.expect("a permit").is_outdated(&secret(stored)));
        }
        let permit = hasher.acquire().await.expect("a permit");
        let ours = permit.hash(secret("x")).await.expect("hash");
        assert!(!permit.is_outdated(&ours));
        let stronger = PasswordHasher::new(HashCost::Owasp, 1).expect("parameters");
        assert!(stronger.acquire().await.expect("a permit").is_outdated(&ours), "parameters that rose");
    }

    #[tokio::test]
    async fn whatever_does_not_fit_takes_the_same_work() {
        let cost_4 = "$2b$04$abcdefghijklmnopqrstuu8R87KJSCD6zabKTR/xKQXRQyq8S6o4W";
        let cost_5 = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let too_much = "$2b$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        for (beginnings, rounds) in
            [(&[][..], 0), (&["$2b$04$", "$2b$16$", "$2b$", "x"], 16), (&["$2b$04$", "$2y$07$"], 128)]
        {
            let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
            let ours = hasher.hash(secret("right")).await.expect("hash");
            for beginning in beginnings {
                hasher.expect_older(beginning);
            }
            let mut stored = vec![None, Some(ours.clone()), Some(secret("!")), Some(secret(too_much))];
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
                assert_eq!(done, (1, rounds), "{beginnings:?} {:?}", hash.as_ref().map(ExposeSecret::expose_secret));
            }
            let before = hasher.counts().bcrypt;
            assert!(hasher.verify(secret("right"), Some(ours)).await.expect("verify"));
            assert_eq!(hasher.counts().bcrypt, before, "what fits shows anyway");
        }
        // One that nobody told of is learnt of when it is first met.
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        hasher.verify(secret("wrong"), Some(secret(cost_5))).await.expect("verify");
        let before = hasher.counts().bcrypt;
        hasher.verify(secret("wrong"), None).await.expect("verify");
        assert_eq!(hasher.counts().bcrypt - before, 32);
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_told_to_come_back() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        let hashing = hasher.acquire().await.expect("a permit");
        let mut waiting: Vec<_> = (0..QUEUE).map(|_| Box::pin(hasher.acquire())).collect();
        for permit in &mut waiting {
            assert!(permit.as_mut().now_or_never().is_none(), "one at a time");
        }
        let refused = hasher.acquire().await.expect_err("full");
        assert_eq!((refused.code(), refused.retry_after()), (ErrorCode::RateLimited, Some(RETRY_AFTER)));
        drop(hashing);
        waiting.remove(0).await.expect("the next one's permit");
        waiting.clear();
        hasher.acquire().await.expect("nobody is left");
    }

    #[tokio::test]
    async fn what_is_no_hash_fits_no_password() {
        let hasher = PasswordHasher::new(HashCost::Minimal, 1).expect("parameters");
        for stored in [None, Some(""), Some("!"), Some("nobody's password"), Some("$2b$12$abcdefghijklmnopqrstuv")] {
            assert!(!hasher.verify(secret("nobody's password"), stored.map(secret)).await.expect("verify"));
        }
    }
}
