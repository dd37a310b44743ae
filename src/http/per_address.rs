//! Caps the connections of one client address, so that one client cannot take all that there are.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ipnet::IpNet;
use tokio::net::TcpStream;

use crate::config::HttpSettings;

/// Between two lines of the log about refused connections.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The open connections by client address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AddressCap {
    /// None is no cap.
    limit: Option<usize>,
    exempt: Arc<[IpNet]>,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    open: HashMap<IpAddr, usize>,
    /// Refused since the last line of the log.
    refused: u64,
    logged: Option<Instant>,
}

/// Counts as one connection of its address until it is dropped.
#[derive(Debug)]
pub struct Slot(Option<(AddressCap, IpAddr)>);

impl AddressCap {
    pub fn new(settings: &HttpSettings) -> Self {
        Self {
            limit: settings.connections_per_address,
            exempt: settings.trusted_proxies.clone().into(),
            counts: Arc::default(),
        }
    }

    /// Counts a connection; None when its address has as many as it may.
    pub fn admit(&self, peer: IpAddr) -> Option<Slot> {
        let peer = peer.to_canonical();
        let Some(limit) = self.limit.filter(|_| !self.exempt.iter().any(|network| network.contains(&peer))) else {
            return Some(Slot(None));
        };
        let client = client_of(peer);
        let mut counts = self.counts();
        let open = counts.open.entry(client).or_default();
        if *open < limit {
            *open += 1;
            return Some(Slot(Some((self.clone(), client))));
        }
        counts.refused += 1;
        if counts.logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            counts.logged = Some(Instant::now());
            let refused = std::mem::take(&mut counts.refused);
            tracing::warn!(%client, limit, refused, "refused connections: their address has as many as it may");
        }
        None
    }

    /// Nothing in a lock's hold can panic.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some((cap, client)) = &self.0 {
            let mut counts = cap.counts();
            if let Some(open) = counts.open.get_mut(client) {
                *open -= 1;
                if *open == 0 {
                    counts.open.remove(client);
                }
            }
        }
    }
}

/// An IPv4 address as it is; of IPv6 the network of 64 bits, which one client has to itself.
fn client_of(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// Tells the client as far as that needs no waiting, and closes.
pub fn refuse(stream: &TcpStream) {
    const BODY: &str = r#"{"errors":[{"message":"too many connections from this address: close some (GUARDIANEYE_CONNECTIONS_PER_ADDRESS)","extensions":{"code":"RATE_LIMITED","retryAfter":1}}]}"#;
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\
         Retry-After: 1\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    // Whether it arrives is not waited for.
    let _ = stream.try_write(answer.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(limit: Option<usize>) -> AddressCap {
        let trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        AddressCap::new(&HttpSettings { connections_per_address: limit, trusted_proxies, ..HttpSettings::default() })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_so_many_connections_at_a_time_and_no_more() {
        let cap = cap(Some(2));
        let first = cap.admit(ip("192.0.2.1"));
        let second = cap.admit(ip("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(cap.admit(ip("192.0.2.1")).is_none());
        assert!(cap.admit(ip("192.0.2.2")).is_some(), "another address");
        drop(first);
        assert!(cap.admit(ip("192.0.2.1")).is_some(), "a place became free");
        drop(second);
        assert!(cap.counts().open.is_empty(), "nothing is kept of clients that are gone");
    }

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        let cap = cap(Some(1));
        let _held = cap.admit(ip("2001:db8:0:1::1")).expect("the first");
        assert!(cap.admit(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(cap.admit(ip("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn trusted_proxies_and_servers_without_the_setting_have_no_cap() {
        let one = cap(Some(1));
        let slots: Vec<_> = (0..9).map(|_| one.admit(ip("10.1.2.3"))).collect();
        assert!(slots.iter().all(Option::is_some));
        let none = cap(None);
        let slots: Vec<_> = (0..9).map(|_| none.admit(ip("192.0.2.1"))).collect();
        assert!(slots.iter().all(Option::is_some));
    }
}
