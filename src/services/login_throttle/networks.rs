//! The networks that failed logins are counted by.

use std::net::IpAddr;

use ipnet::IpNet;

/// The network by which a client is known to a user: IPv4 /24, IPv6 /64.
pub(super) fn known_network(address: &str) -> Option<String> {
    let address: IpAddr = address.parse().ok()?;
    prefix(address, if address.is_ipv4() { 24 } else { 64 })
}

/// What one client has to itself: an IPv4 address, or an IPv6 network of 64 bits.
pub(super) fn client_network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => prefix(address.into(), 64).unwrap_or_default(),
        _ => address.to_owned(),
    }
}

fn prefix(address: IpAddr, bits: u8) -> Option<String> {
    IpNet::new(address, bits).ok().map(|network| network.trunc().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_address_prefixes() {
        for (address, network, client) in [
            ("192.0.2.1", Some("192.0.2.0/24"), "192.0.2.1"),
            ("2001:db8:0:1:2:3:4:5", Some("2001:db8:0:1::/64"), "2001:db8:0:1::/64"),
            ("unknown", None, "unknown"),
        ] {
            assert_eq!((known_network(address).as_deref(), client_network(address).as_str()), (network, client));
        }
    }
}
