//! bcrypt hashes of an earlier program: verified, never created. bcrypt takes about ten times as long as Argon2id. While a
//! database holds such hashes, every failed verification takes as long as theirs, so that timing does not reveal which
//! accounts have one. See `docs/decisions/012-password-hash-timing.md`.

use std::{
    hint::black_box,
    ops::RangeInclusive,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

use secrecy::{ExposeSecret, SecretString};

/// A bcrypt hash such as passlib makes: `$2b$12$` and 53 characters. bcrypt reads only the first 72 bytes of a password.
pub(super) struct BcryptHash<'a> {
    hash: &'a str,
    cost: u32,
}

impl<'a> BcryptHash<'a> {
    /// The supported costs. Each step doubles the work; with a higher one a login would take seconds.
    const COSTS: RangeInclusive<u32> = 4..=15;

    /// `None` for any other kind of hash and for unsupported costs.
    pub fn parse(hash: &'a SecretString) -> Option<Self> {
        let hash = hash.expose_secret();
        let is_supported = ["$2a$", "$2b$", "$2y$"].iter().any(|version| hash.starts_with(version));
        let cost = hash.parse::<bcrypt::HashParts>().ok().filter(|_| is_supported)?.get_cost();
        Self::COSTS.contains(&cost).then_some(Self { hash, cost })
    }
}

/// The legacy hashes of the database: their highest cost, and the work spent on them.
#[derive(Debug, Default)]
pub(super) struct LegacyHashes {
    /// The highest cost of the hashes in the database; 0 while there are none.
    highest_cost: AtomicU32,
    /// Rounds of bcrypt that were computed.
    rounds: AtomicU64,
}

impl LegacyHashes {
    /// Announces hashes with this prefix (`$2b$12$`).
    pub fn expect(&self, prefix: &str) {
        let cost = prefix.split('$').nth(2).and_then(|cost| cost.parse().ok());
        if let Some(cost) = cost.filter(|cost| BcryptHash::COSTS.contains(cost)) {
            self.highest_cost.fetch_max(cost, Relaxed);
        }
    }

    /// Returns true if the password matches the hash.
    pub fn verify(&self, bcrypt: &BcryptHash<'_>, password: &[u8]) -> bool {
        self.highest_cost.fetch_max(bcrypt.cost, Relaxed);
        self.rounds.fetch_add(1 << bcrypt.cost, Relaxed);
        bcrypt::verify(password, bcrypt.hash).unwrap_or(false)
    }

    /// Raises the work of a failed verification to that of a hash of the highest cost. After the rounds of one hash of cost
    /// `c`, the costs `c` to `n - 1` remain: `2^c + 2^c + 2^(c+1) + .. + 2^(n-1)` is `2^n`.
    pub fn equalize(&self, verified: Option<&BcryptHash<'_>>) {
        let highest = self.highest_cost.load(Relaxed);
        let costs = match verified {
            Some(bcrypt) => bcrypt.cost..highest,
            None if highest == 0 => 0..0,
            None => highest..highest + 1,
        };
        for cost in costs {
            self.rounds.fetch_add(1 << cost, Relaxed);
            // The compiler must not remove the work although its result is unused.
            let _ = black_box(bcrypt::hash_with_salt("dummy password", cost, [0; 16]));
        }
    }

    pub fn rounds(&self) -> u64 {
        self.rounds.load(Relaxed)
    }
}
