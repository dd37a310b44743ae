//! The counters of a login attempt, and the networks that are known to a user.

use super::{
    limit::Limit,
    networks::{client_network, known_network},
};
use crate::{
    auth::KeyedHasher,
    db::{
        Db, Tx, known_networks,
        login_throttles::{self, Key},
    },
    error::Result,
    model::{Timestamp, User, UserId},
    services::{Client, Services},
};

/// Failures in a row from one known network that lock an account there (NIST SP 800-63B, 3.2.2).
const LOCKOUT_AFTER: i64 = 100;
/// The names of one account: the user name and the e-mail address.
const NAMES_PER_ACCOUNT: i64 = 2;
/// The maximum number of known networks of a user: the most recent ones.
const MAX_KNOWN_NETWORKS: i64 = 32;
/// A network is known for this time after the last login from it, in seconds.
const KNOWN_FOR: i64 = 180 * 24 * 60 * 60;

/// A counter of failed logins.
#[derive(Debug)]
pub(super) struct Counter {
    pub key: Key,
    pub limit: Limit,
    /// Whether the response may reveal that the limit is exceeded.
    pub is_revealed: bool,
}

/// The counters of an attempt, in the order in which every attempt locks them.
pub(super) async fn counters_of(
    services: &Services,
    db: &Db,
    client: &Client,
    login: &str,
    user: Option<&User>,
) -> Result<Vec<Counter>> {
    let (hasher, limits) = (&services.keyed_hasher, &services.limits.accounts);
    let address = client.ip_address.as_deref();
    let network = address.and_then(known_network).unwrap_or_default();
    let id = user.map_or(UserId(uuid::Uuid::nil()), |user| user.id);
    let since = services.clock.now().plus_seconds(-KNOWN_FOR);
    let is_known = known_networks::contains(db, id, &network, since).await?;
    let name = hash_of_name(hasher, login);
    let account = match user {
        Some(user) => hash_of_account(hasher, user),
        None => hash_of_no_account(hasher, login),
    };
    let backoff = Limit::Backoff { after: limits.failures_per_account };
    let counter = |account: String, network: &str, limit, is_revealed| Counter {
        key: Key { account, network: network.to_owned() },
        limit,
        is_revealed,
    };
    if is_known {
        let lockout = Limit::Lockout { after: LOCKOUT_AFTER };
        return Ok(vec![counter(name, &network, backoff, true), counter(account, &network, lockout, false)]);
    }
    let drain = Limit::Drain { capacity: limits.failures_per_network };
    let account_backoff = Limit::Backoff { after: NAMES_PER_ACCOUNT * limits.failures_per_account };
    Ok(vec![
        counter(String::new(), &client_network(address.unwrap_or("unknown")), drain, true),
        counter(name, "", backoff, true),
        counter(account, "", account_backoff, false),
    ])
}

/// Records the network of a login as known to the user.
pub(in crate::services) async fn remember_network(
    tx: &mut Tx,
    user: UserId,
    client: &Client,
    now: Timestamp,
) -> Result<()> {
    let Some(network) = client.ip_address.as_deref().and_then(known_network) else { return Ok(()) };
    known_networks::upsert(tx, user, &network, now).await?;
    known_networks::prune(tx, user, now.plus_seconds(-KNOWN_FOR), MAX_KNOWN_NETWORKS).await.map(drop)
}

/// Clears all counters of a user's names and account. Returns true if there were any failures.
pub(in crate::services) async fn unlock(tx: &mut Tx, hasher: &KeyedHasher, user: &User) -> Result<bool> {
    let keys = [hash_of_name(hasher, &user.username), hash_of_name(hasher, &user.email), hash_of_account(hasher, user)];
    let mut cleared = 0;
    for key in keys {
        cleared += login_throttles::delete_all_of_account(tx, &key).await?;
    }
    Ok(cleared > 0)
}

// The purposes are part of stored hashes: another text would reset all counters.

fn hash_of_name(hasher: &KeyedHasher, login: &str) -> String {
    hasher.hash("throttle of a name", login)
}

fn hash_of_account(hasher: &KeyedHasher, user: &User) -> String {
    hasher.hash("throttle of an account", &user.id.to_string())
}

/// Stands for the account of a name that belongs to no user.
fn hash_of_no_account(hasher: &KeyedHasher, login: &str) -> String {
    hasher.hash("throttle of no account", login)
}
