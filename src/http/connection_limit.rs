//! Limits the connections of one client address, so that one client cannot exhaust the connections of the server.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ipnet::IpNet;
use tokio::net::TcpStream;

use crate::config::HttpSettings;

/// The minimum interval between log entries about rejected connections.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Counts the open connections of each client address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ConnectionLimit {
    /// None: no limit.
    limit: Option<usize>,
    exempt: Arc<[IpNet]>,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    open: HashMap<IpAddr, usize>,
    /// Rejected since the last log entry.
    rejected: u64,
    logged: Option<Instant>,
}

/// Counts as one connection of its address until it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit(Option<(ConnectionLimit, IpAddr)>);

impl ConnectionLimit {
    pub fn new(settings: &HttpSettings) -> Self {
        Self {
            limit: settings.connections_per_address,
            exempt: settings.trusted_proxies.clone().into(),
            counts: Arc::default(),
        }
    }

    /// Counts a connection; None if its address has reached the limit.
    pub fn acquire(&self, peer: IpAddr) -> Option<ConnectionPermit> {
        let peer = peer.to_canonical();
        let Some(limit) = self.limit.filter(|_| !self.exempt.iter().any(|network| network.contains(&peer))) else {
            return Some(ConnectionPermit(None));
        };
        let client = client_of(peer);
        let mut counts = self.counts();
        let open = counts.open.entry(client).or_default();
        if *open < limit {
            *open += 1;
            return Some(ConnectionPermit(Some((self.clone(), client))));
        }
        counts.rejected += 1;
        if counts.logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            counts.logged = Some(Instant::now());
            let rejected = std::mem::take(&mut counts.rejected);
            tracing::warn!(%client, limit, rejected, "rejected connections: their address has reached the limit");
        }
        None
    }

    /// No code that holds the lock can panic.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if let Some((limit, client)) = &self.0 {
            let mut counts = limit.counts();
            if let Some(open) = counts.open.get_mut(client) {
                *open -= 1;
                if *open == 0 {
                    counts.open.remove(client);
                }
            }
        }
    }
}

/// The IPv4 address, or the /64 network of an IPv6 address, which belongs to one client.
fn client_of(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// Sends an error response if the socket accepts it without waiting; the caller closes the connection.
pub fn reject(stream: &TcpStream) {
    const BODY: &str = r#"{"errors":[{"message":"too many connections from this address; close some (GUARDIANEYE_CONNECTIONS_PER_ADDRESS)","extensions":{"code":"RATE_LIMITED","retryAfter":1}}]}"#;
    let response = format!(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\
         Retry-After: 1\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    // Best effort.
    let _ = stream.try_write(response.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection_limit(limit: Option<usize>) -> ConnectionLimit {
        let trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        ConnectionLimit::new(&HttpSettings {
            connections_per_address: limit,
            trusted_proxies,
            ..HttpSettings::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_cannot_exceed_its_limit() {
        let limit = connection_limit(Some(2));
        let first = limit.acquire(ip("192.0.2.1"));
        let second = limit.acquire(ip("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(limit.acquire(ip("192.0.2.1")).is_none());
        assert!(limit.acquire(ip("192.0.2.2")).is_some(), "another address");
        drop(first);
        assert!(limit.acquire(ip("192.0.2.1")).is_some(), "a connection ended");
        drop(second);
        assert!(limit.counts().open.is_empty(), "no entry remains after the last connection of an address");
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_client() {
        let limit = connection_limit(Some(1));
        let _held = limit.acquire(ip("2001:db8:0:1::1")).expect("the first");
        assert!(limit.acquire(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(limit.acquire(ip("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn trusted_proxies_and_servers_without_the_setting_have_no_limit() {
        let one = connection_limit(Some(1));
        let permits: Vec<_> = (0..9).map(|_| one.acquire(ip("10.1.2.3"))).collect();
        assert!(permits.iter().all(Option::is_some));
        let none = connection_limit(None);
        let permits: Vec<_> = (0..9).map(|_| none.acquire(ip("192.0.2.1"))).collect();
        assert!(permits.iter().all(Option::is_some));
    }
}
