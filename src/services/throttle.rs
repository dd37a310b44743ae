//! How often logins may fail: counted in the database, so for all instances together and over restarts.
//!
//! Failures in a row are counted for each account and for each network. After some that cost nothing, each further try
//! has to wait, twice as long each time. An account's failures from addresses that its user has logged in from before
//! are counted by themselves: a stranger who fails on purpose keeps other strangers out, not the user.

use std::net::{IpAddr, Ipv6Addr};

use sha2::{Digest, Sha256};

use super::{Client, Services};
use crate::{
    config::AccountLimits,
    db::{
        Db, Tx, auth_sessions,
        login_throttles::{self, Key},
    },
    error::{Error, Result},
    model::{Timestamp, User, UserId},
};

/// The longest wait for an account, in seconds.
const LONGEST_FOR_ACCOUNT: i64 = 15 * 60;
/// The longest wait for a network, in seconds.
const LONGEST_FOR_NETWORK: i64 = 5 * 60;
/// After so many failures in a row an account is locked for strangers until it is unlocked (NIST SP 800-63B, 3.2.2).
const LOCKED_AFTER: i64 = 100;
/// A network's failures are forgotten after a pause of this, in seconds.
const NETWORK_MEMORY: i64 = 15 * 60;
/// Failures that nobody can mean any more are removed after this, in seconds.
const KEPT: u64 = 90 * 24 * 60 * 60;

/// One try to log in.
#[derive(Debug)]
pub struct Attempt {
    account: Key,
    network: Key,
}

impl Attempt {
    /// Lets the try pass, or says when to come back. It is the same for a user name that does not exist.
    pub async fn admit(
        services: &Services,
        db: &Db,
        client: &Client,
        login: &str,
        user: Option<&User>,
    ) -> Result<Self> {
        let address = client.ip_address.as_deref().unwrap_or("unknown");
        let id = user.map_or(UserId(uuid::Uuid::nil()), |user| user.id);
        let known = auth_sessions::knows(db, id, address).await?;
        let account =
            Key { account: account_of(login, user), network: if known { network_of(address) } else { String::new() } };
        let network = Key { account: String::new(), network: network_of(address) };
        let now = services.clock.now();
        match login_throttles::blocked_until(db, &account, &network).await? {
            Some(until) if until > now => {
                let seconds = u64::try_from((until.micros() - now.micros()).div_euclid(1_000_000) + 1).unwrap_or(1);
                Err(Error::rate_limited("too many logins have failed: try again later", seconds))
            }
            _ => Ok(Self { account, network }),
        }
    }

    /// Counts the try as failed.
    pub async fn failed(&self, tx: &mut Tx, limits: &AccountLimits, now: Timestamp) -> Result<()> {
        let ever = now.minus_micros(KEPT * 1_000_000);
        login_throttles::delete_old(tx, ever).await?;
        let failures = login_throttles::count(tx, &self.account, now, ever).await?;
        let wait = delay(failures - limits.failures_per_account, LONGEST_FOR_ACCOUNT);
        let until = if failures >= LOCKED_AFTER { Timestamp::MAX } else { now.plus_seconds(wait) };
        login_throttles::block(tx, &self.account, until).await?;
        let since = now.plus_seconds(-NETWORK_MEMORY);
        let failures = login_throttles::count(tx, &self.network, now, since).await?;
        let wait = delay(failures - limits.failures_per_network, LONGEST_FOR_NETWORK);
        login_throttles::block(tx, &self.network, now.plus_seconds(wait)).await
    }

    /// Forgets the account's failures: they are no longer in a row.
    pub async fn succeeded(&self, tx: &mut Tx) -> Result<()> {
        login_throttles::clear(tx, &self.account.account).await.map(drop)
    }
}

/// Forgets the failures of a user's account; whether there were any.
#[expect(dead_code, reason = "until users are managed")]
pub(super) async fn unlock(tx: &mut Tx, user: &User) -> Result<bool> {
    Ok(login_throttles::clear(tx, &account_of("", Some(user))).await? > 0)
}

/// Seconds to wait after so many failures more than cost nothing.
fn delay(beyond: i64, longest: i64) -> i64 {
    match u32::try_from(beyond) {
        Ok(beyond) => 2_i64.checked_pow(beyond).map_or(longest, |seconds| seconds.min(longest)),
        Err(_) => 0,
    }
}

/// What stands for an account. Of a name that is not known only the hash is kept: it may be a password, typed into the
/// wrong field.
fn account_of(login: &str, user: Option<&User>) -> String {
    match user {
        Some(user) => user.id.to_string(),
        None => format!("{:x}", Sha256::digest(login.to_lowercase())),
    }
}

/// One IPv4 address, or one IPv6 network of 64 bits, which a household has to itself.
fn network_of(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            format!("{}/64", Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<_> = [-1, 0, 1, 2, 3, 9, 10, 64, 4_000_000_000].map(|beyond| delay(beyond, 900)).into();
        assert_eq!(waits, [0, 1, 2, 4, 8, 512, 900, 900, 900]);
    }

    #[test]
    fn an_ipv6_network_is_one_and_an_unknown_name_is_not_kept() {
        assert_eq!(network_of("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::/64");
        assert_eq!(network_of("192.0.2.1"), "192.0.2.1");
        assert_eq!(account_of("Hunter2", None), account_of("hunter2", None));
        assert_eq!(account_of("hunter2", None).len(), 64);
        assert!(!account_of("hunter2", None).contains("hunter"));
    }
}
