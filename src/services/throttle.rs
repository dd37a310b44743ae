//! How often logins may fail. The counts stand in the database: for all instances together, and over restarts.
//!
//! An attempt is counted before its password is looked at, so whoever does not wait for the answer is counted too; success
//! takes it back. A network (IPv4 /24, IPv6 /64) is *known* to a user who has logged in from it: failures from there are
//! counted by themselves, so a stranger who fails on purpose keeps other strangers out, not the user.
//!
//! | count of failures | key (account, network) | limit | answer beyond it |
//! |---|---|---|---|
//! | under one name, from networks unknown to its user | (hash of the name, -) | 5, then each waits twice as long, 15 minutes at most | `RATE_LIMITED` |
//! | under one name, from one known network | (hash of the name, network) | the same | `RATE_LIMITED` |
//! | under any name, from one address (IPv6 /64) unknown to the users | (-, address) | 100 in 15 minutes; they drain steadily | `RATE_LIMITED` |
//! | of one account, from unknown networks | (hash of the account, -) | 10, then as above | as for a wrong password |
//! | of one account, from one known network | (hash of the account, network) | 100, then locked until unlocked | as for a wrong password |
//!
//! The first three know only what was typed: user name and e-mail address wait apart, and a name that does not exist waits
//! like any other. The last two do know the account, so they must not show: they are answered like a wrong password, after
//! the same work. A name without an account has the same counts, so that an attempt always takes the same statements.
//!
//! A success clears the counts of its name and account from where it came: of its known network, or those of the unknown
//! networks. Only the user can clear the latter, and whoever travels would else wait ever longer for each typing error. In a
//! known network nobody learns much that is not known there: only that some user has logged in from it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Client, Services};
use crate::{
    auth::KeyedHasher,
    db::{
        Db, Tx, known_networks,
        login_throttles::{self, Count, Key},
    },
    error::{Error, Result},
    model::{Timestamp, User, UserId},
};

/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 15 * 60;
/// The time in which as many failures drain from an address as it may have, in microseconds.
const DRAIN_TIME: i64 = 15 * 60 * 1_000_000;
/// Failures in a row from one known network that lock an account there (NIST SP 800-63B, 3.2.2).
const LOCKED_AFTER: i64 = 100;
/// Names that lead to one account: the user name and the e-mail address.
const NAMES_OF_AN_ACCOUNT: i64 = 2;
/// Counts are forgotten after this without an attempt, in seconds.
const KEPT: i64 = 90 * 24 * 60 * 60;
/// Networks of a user that are remembered: the newest, and for so many seconds after the last login from there.
const KNOWN_NETWORKS: i64 = 32;
const KNOWN_FOR: i64 = 180 * 24 * 60 * 60;

/// What follows from a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// After so many each further attempt waits, twice as long each time.
    Wait { after: i64 },
    /// So many at once, and as many again while they drain.
    Drain { at_once: i64 },
    /// So many until somebody unlocks it.
    Lock { after: i64 },
}

#[derive(Debug)]
struct Bucket {
    key: Key,
    limit: Limit,
    /// Whether it may show that it is beyond its limit.
    shows: bool,
}

/// One attempt to log in, counted as failed until it succeeds.
#[derive(Debug)]
pub struct Attempt {
    buckets: Vec<Bucket>,
    /// Whether it fails whatever the password is.
    pub refused: bool,
}

impl Attempt {
    /// Counts the attempt, or says when to come back.
    pub async fn begin(
        services: &Services,
        db: &Db,
        client: &Client,
        login: &str,
        user: Option<&User>,
    ) -> Result<Self> {
        let now = services.clock.now();
        // It is called with a turn to hash, which must not wait for other statements of the principal.
        let db = &db.unlimited();
        let buckets = buckets(services, db, client, login, user).await?;
        let mut tx = db.begin().await?;
        login_throttles::delete_old(&mut tx, now.plus_seconds(-KEPT)).await?;
        // In this order by everybody, so nobody waits in a circle.
        let mut counts = Vec::new();
        for bucket in &buckets {
            counts.push(bucket.limit.drained(login_throttles::lock(&mut tx, &bucket.key, now).await?, now));
        }
        let blocked_until =
            |bucket: &Bucket, count: &Count| bucket.limit.blocked_until(*count).filter(|until| *until > now);
        let shown = buckets.iter().zip(&counts).filter(|(bucket, _)| bucket.shows);
        if let Some(until) = shown.filter_map(|(bucket, count)| blocked_until(bucket, count)).max() {
            let seconds = u64::try_from((until.micros() - now.micros()).div_euclid(1_000_000) + 1).unwrap_or(1);
            return Err(Error::rate_limited("too many logins have failed: try again later", seconds));
        }
        let mut refused = false;
        for (bucket, count) in buckets.iter().zip(counts) {
            // A wait is not made longer by the attempts that it refuses.
            let blocked = blocked_until(bucket, &count).is_some();
            let after = if blocked { count } else { bucket.limit.count(count, now) };
            login_throttles::set(&mut tx, &bucket.key, after).await?;
            refused |= blocked;
        }
        tx.commit().await?;
        Ok(Self { buckets, refused })
    }

    /// The same as [`succeeded`](Self::succeeded) in a transaction of its own: the password was right, and the rest failed.
    pub async fn withdraw(&self, db: &Db) -> Result<()> {
        let mut tx = db.begin().await?;
        self.succeeded(&mut tx).await?;
        tx.commit().await
    }

    /// Takes the attempt back, and clears the failures of its account from where it came.
    pub async fn succeeded(&self, tx: &mut Tx) -> Result<()> {
        for bucket in &self.buckets {
            match bucket.limit {
                Limit::Drain { .. } => login_throttles::take_back(tx, &bucket.key).await?,
                Limit::Wait { .. } | Limit::Lock { .. } => login_throttles::clear(tx, &bucket.key).await.map(drop)?,
            }
        }
        Ok(())
    }
}

/// The counts of an attempt.
async fn buckets(
    services: &Services,
    db: &Db,
    client: &Client,
    login: &str,
    user: Option<&User>,
) -> Result<Vec<Bucket>> {
    let (names, limits) = (&services.keyed_hasher, &services.limits.accounts);
    let address = client.ip_address.as_deref();
    let network = address.and_then(network_of).unwrap_or_default();
    let id = user.map_or(UserId(uuid::Uuid::nil()), |user| user.id);
    let since = services.clock.now().plus_seconds(-KNOWN_FOR);
    let is_known = known_networks::contains(db, id, &network, since).await?;
    let (name, account) = (
        hash_of_name(names, login),
        user.map_or_else(|| hash_of_nobody(names, login), |user| hash_of_account(names, user)),
    );
    let wait = Limit::Wait { after: limits.failures_per_account };
    let bucket = |account: String, network: &str, limit, shows| Bucket {
        key: Key { account, network: network.to_owned() },
        limit,
        shows,
    };
    if is_known {
        let lock = Limit::Lock { after: LOCKED_AFTER };
        return Ok(vec![bucket(name, &network, wait, true), bucket(account, &network, lock, false)]);
    }
    let drain = Limit::Drain { at_once: limits.failures_per_network };
    let cap = Limit::Wait { after: NAMES_OF_AN_ACCOUNT * limits.failures_per_account };
    Ok(vec![
        bucket(String::new(), &household_of(address.unwrap_or("unknown")), drain, true),
        bucket(name, "", wait, true),
        bucket(account, "", cap, false),
    ])
}

/// Remembers the network that the user has logged in from.
pub(super) async fn remember_network(tx: &mut Tx, user: UserId, client: &Client, now: Timestamp) -> Result<()> {
    let Some(network) = client.ip_address.as_deref().and_then(network_of) else { return Ok(()) };
    known_networks::upsert(tx, user, &network, now).await?;
    known_networks::prune(tx, user, now.plus_seconds(-KNOWN_FOR), KNOWN_NETWORKS).await.map(drop)
}

/// Forgets the failures of a user's account, under each name; whether there were any.
pub(super) async fn unlock(tx: &mut Tx, names: &KeyedHasher, user: &User) -> Result<bool> {
    let mut cleared = 0;
    for account in [hash_of_name(names, &user.username), hash_of_name(names, &user.email), hash_of_account(names, user)]
    {
        cleared += login_throttles::clear_all(tx, &account).await?;
    }
    Ok(cleared > 0)
}

fn hash_of_name(names: &KeyedHasher, login: &str) -> String {
    names.hash("throttle of a name", login)
}

fn hash_of_account(names: &KeyedHasher, user: &User) -> String {
    names.hash("throttle of an account", &user.id.to_string())
}

/// What stands for the account of a name that has none.
fn hash_of_nobody(names: &KeyedHasher, login: &str) -> String {
    names.hash("throttle of no account", login)
}

impl Limit {
    /// The count without what has drained by now. What is left of a drop stays: often looked at, it drains as fast.
    fn drained(self, count: Count, now: Timestamp) -> Count {
        let Self::Drain { at_once } = self else { return count };
        let one = DRAIN_TIME / at_once;
        let gone = ((now.micros() - count.counted_at.micros()) / one).clamp(0, count.failures);
        if gone == count.failures {
            return Count { failures: 0, counted_at: now };
        }
        Count { failures: count.failures - gone, counted_at: count.counted_at.plus_micros(gone * one) }
    }

    /// With one more failure.
    fn count(self, count: Count, now: Timestamp) -> Count {
        let counted_at = if matches!(self, Self::Drain { .. }) { count.counted_at } else { now };
        Count { failures: count.failures + 1, counted_at }
    }

    /// Until when a further attempt is beyond the limit, whether that is over or not.
    fn blocked_until(self, Count { failures, counted_at }: Count) -> Option<Timestamp> {
        match self {
            Self::Wait { after } => {
                let doublings = u32::try_from(failures - after).ok()?;
                let wait = 2_i64.checked_pow(doublings).map_or(LONGEST_WAIT, |seconds| seconds.min(LONGEST_WAIT));
                Some(counted_at.plus_seconds(wait))
            }
            Self::Drain { at_once } if failures >= at_once => {
                Some(counted_at.plus_micros((failures - at_once + 1) * (DRAIN_TIME / at_once)))
            }
            Self::Lock { after } if failures >= after => Some(Timestamp::MAX),
            Self::Drain { .. } | Self::Lock { .. } => None,
        }
    }
}

/// The network by which a user is known.
fn network_of(address: &str) -> Option<String> {
    let address: IpAddr = address.parse().ok()?;
    truncated(address, if address.is_ipv4() { 24 } else { 64 })
}

/// One IPv4 address, or one IPv6 network of 64 bits, which a household has to itself.
fn household_of(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(network)) => truncated(network.into(), 64).unwrap_or_default(),
        _ => address.to_owned(),
    }
}

fn truncated(address: IpAddr, bits: u8) -> Option<String> {
    IpNet::new(address, bits).ok().map(|network| network.trunc().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        "2026-03-01T12:00:00Z".parse::<Timestamp>().expect("a time").plus_seconds(seconds)
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let wait = |failures| {
            let until = Limit::Wait { after: 5 }.blocked_until(Count { failures, counted_at: at(0) });
            until.map(|until| (until.micros() - at(0).micros()) / 1_000_000)
        };
        let waits = [0, 4, 5, 6, 7, 14, 15, 69, 4_000_000_000, 5_000_000_000].map(wait);
        let expected = [None, None, Some(1), Some(2), Some(4), Some(512), Some(900), Some(900), Some(900)];
        assert_eq!(waits[..9], expected);
    }

    #[test]
    fn the_count_of_an_address_drains_steadily() {
        let limit = Limit::Drain { at_once: 100 };
        let full = Count { failures: 100, counted_at: at(0) };
        assert_eq!(limit.blocked_until(full), Some(at(9)));
        for (seconds, failures, counted_at) in [
            (-5, 100, 0),
            (0, 100, 0),
            (8, 100, 0),
            (9, 99, 9),
            (17, 99, 9),
            (450, 50, 450),
            (899, 1, 891),
            (900, 0, 900),
            (9_000, 0, 9_000),
        ] {
            let expected = Count { failures, counted_at: at(counted_at) };
            assert_eq!(limit.drained(full, at(seconds)), expected, "after {seconds} s");
        }
        assert_eq!(limit.blocked_until(limit.drained(full, at(9))), None);
        // Looked at each second, it drains as fast.
        let often = (1..=900).fold(full, |count, seconds| limit.drained(count, at(seconds)));
        assert_eq!(often.failures, 0);
        assert_eq!(limit.count(full, at(5)), Count { failures: 101, counted_at: at(0) });
    }

    #[test]
    fn a_lock_stays() {
        let limit = Limit::Lock { after: 100 };
        assert_eq!(limit.blocked_until(Count { failures: 99, counted_at: at(0) }), None);
        assert_eq!(limit.blocked_until(Count { failures: 100, counted_at: at(0) }), Some(Timestamp::MAX));
    }

    #[test]
    fn networks_are_prefixes() {
        for (address, network, household) in [
            ("192.0.2.1", Some("192.0.2.0/24"), "192.0.2.1"),
            ("2001:db8:0:1:2:3:4:5", Some("2001:db8:0:1::/64"), "2001:db8:0:1::/64"),
            ("unknown", None, "unknown"),
        ] {
            assert_eq!((network_of(address).as_deref(), household_of(address).as_str()), (network, household));
        }
    }
}
