//! Hashes of an older program: bcrypt, verified and never made. It takes some ten times as long as ours, so while a
//! database holds such hashes, every password that is refused takes their time too, or the clock would tell them apart.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use secrecy::{ExposeSecret, SecretString};

/// Such as passlib makes: `$2b$12$` and 53 characters. Like bcrypt everywhere, it knows the first 72 bytes of a password
/// only.
pub(super) struct Bcrypt<'a> {
    hash: &'a str,
    cost: u32,
}

impl<'a> Bcrypt<'a> {
    /// Each step doubles the work; beyond the last a login would take seconds.
    const COSTS: std::ops::RangeInclusive<u32> = 4..=15;

    pub fn of(hash: &'a SecretString) -> Option<Self> {
        let hash = hash.expose_secret();
        let known = ["$2a$", "$2b$", "$2y$"].iter().any(|version| hash.starts_with(version));
        let cost = hash.parse::<bcrypt::HashParts>().ok().filter(|_| known)?.get_cost();
        Self::COSTS.contains(&cost).then_some(Self { hash, cost })
    }
}

/// The work with such hashes.
#[derive(Debug, Default)]
pub(super) struct OlderHashes {
    /// The highest cost of any that the database holds; 0 while it holds none.
    highest: AtomicU32,
    /// Rounds of bcrypt that were computed, for password and padding alike.
    rounds: AtomicU64,
}

impl OlderHashes {
    /// Hashes that begin like this (`$2b$12$`) are in the database.
    pub fn expect(&self, beginning: &str) {
        let cost = beginning.split('$').nth(2).and_then(|cost| cost.parse().ok());
        if let Some(cost) = cost.filter(|cost| Bcrypt::COSTS.contains(cost)) {
            self.highest.fetch_max(cost, Relaxed);
        }
    }

    /// Whether the password belongs to the hash.
    pub fn verify(&self, bcrypt: &Bcrypt<'_>, password: &[u8]) -> bool {
        self.highest.fetch_max(bcrypt.cost, Relaxed);
        self.rounds.fetch_add(1 << bcrypt.cost, Relaxed);
        bcrypt::verify(password, bcrypt.hash).unwrap_or(false)
    }

    /// What is left to do after a password was refused: with what was done already, as many rounds as for the hash of the
    /// highest cost. `2^c + 2^c + 2^(c+1) + .. + 2^(n-1)` is `2^n`.
    pub fn pad(&self, done: Option<&Bcrypt<'_>>) {
        let highest = self.highest.load(Relaxed);
        let costs = match done {
            Some(bcrypt) => bcrypt.cost..highest,
            None if highest == 0 => 0..0,
            None => highest..highest + 1,
        };
        for cost in costs {
            self.rounds.fetch_add(1 << cost, Relaxed);
            let _ = std::hint::black_box(bcrypt::hash_with_salt("nobody's password", cost, [0; 16]));
        }
    }

    pub fn rounds(&self) -> u64 {
        self.rounds.load(Relaxed)
    }
}
