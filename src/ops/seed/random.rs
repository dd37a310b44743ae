//! Pseudorandom numbers: those of a row depend only on its kind and index. All are integers, as floating-point functions may
//! differ between machines.

use uuid::{Builder, Uuid};

/// The kind of a row. Its number is part of the seed: changing one makes a second run add all rows again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    User = 1,
    Session = 2,
    AuditLog = 3,
    DemoUser = 4,
    DemoSession = 5,
    DemoAuditLog = 6,
}

/// The random numbers of one row: splitmix64 (Steele, Lea, Flood 2014) with a seed of its own.
#[derive(Debug)]
pub(super) struct RowRandom {
    state: u64,
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl RowRandom {
    /// The numbers of the row with this index, which must be below 2^56.
    pub(super) fn of(kind: Kind, index: u64) -> Self {
        Self { state: mix((kind as u64) << 56 | index) }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// A UUID of version 8 (RFC 9562: own layout).
    pub(super) fn uuid(&mut self) -> Uuid {
        let bits = u128::from(self.number()) << 64 | u128::from(self.number());
        Builder::from_custom_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// Uniform below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.number().carrying_mul(n, 0).1
    }

    /// Below `n` (at least 1), like a Zipf distribution: each doubling of the rank is equally likely. 0 occurs about once in
    /// log2(n) numbers, a high value rarely.
    pub(super) fn skewed(&mut self, n: u64) -> u64 {
        let doublings = u64::from(n.max(1).ilog2()) + 1;
        loop {
            let width = 1 << self.below(doublings);
            let rank = width - 1 + self.below(width);
            if rank < n {
                return rank;
            }
        }
    }

    /// Below `n`, denser towards 0: the square of a uniform number.
    pub(super) fn near(&mut self, n: u64) -> u64 {
        let even = self.number();
        even.carrying_mul(even, 0).1.carrying_mul(n, 0).1
    }

    /// True with a probability of `share` in 1000.
    pub(super) fn per_mille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// One of the choices, uniformly.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap_or_default();
        choices[at]
    }

    /// One of the choices by weight; the weights add up to 1000.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let mut left = self.below(1000);
        for &(weight, choice) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        choices[0].1
    }
}

/// The output function of splitmix64: a bijection on 64 bits.
const fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_of_a_row_do_not_change_between_versions() {
        // If these changed, a second run would not find the rows of the first.
        let first = |kind| RowRandom::of(kind, 0).uuid().to_string();
        assert_eq!(first(Kind::User), "f152414e-8182-8381-9441-ce78cd85877d");
        assert_eq!(first(Kind::Session), "15bf95e9-da66-839a-8195-64261d4af40b");
        assert_eq!(first(Kind::AuditLog), "0a24d918-e7be-8728-9e40-5bc5bd8f77f7");
    }

    #[test]
    fn ids_are_uuids_of_version_8_without_collisions() {
        let mut seen = HashSet::new();
        for kind in [Kind::User, Kind::Session, Kind::AuditLog] {
            for index in 0..50_000 {
                let id = RowRandom::of(kind, index).uuid();
                assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
                assert!(seen.insert(id), "{kind:?} {index}");
            }
        }
    }

    #[test]
    fn numbers_keep_their_bounds_and_distributions() {
        let mut random = RowRandom::of(Kind::User, 7);
        let (mut lowest, mut near) = (0, 0);
        for _ in 0..100_000 {
            let rank = random.skewed(1000);
            assert!(rank < 1000);
            lowest += u32::from(rank == 0);
            let close = random.near(1000);
            assert!(close < 1000);
            near += u32::from(close < 250);
        }
        // Ten doublings up to 1000, the last of them incomplete; and the square root of a quarter is a half.
        assert!((9_500..10_900).contains(&lowest), "{lowest}");
        assert!((49_000..51_000).contains(&near), "{near}");
        assert_eq!(random.skewed(1), 0);
    }
}
