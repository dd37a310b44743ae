//! The unit that limits count by: a user, or the network of an anonymous client.

use std::net::{IpAddr, Ipv6Addr};

use crate::{auth::Principal, model::UserId};

/// What the requests of one principal have in common, whatever credential they carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalKey {
    User(UserId),
    /// An IPv4 address, or an IPv6 network of 64 bits: one household has all addresses of such a network.
    Address(IpAddr),
    /// An anonymous client without a known address.
    Unknown,
}

impl PrincipalKey {
    /// The key of a principal; the client address counts only for anonymous ones.
    #[must_use]
    pub fn of(principal: &Principal, address: Option<&str>) -> Self {
        match (principal, address.map(str::parse)) {
            (Principal::Authenticated(authenticated), _) => Self::User(authenticated.user.id),
            (Principal::Anonymous, Some(Ok(IpAddr::V6(address)))) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Self::Address(Ipv6Addr::from_bits(network).into())
            }
            (Principal::Anonymous, Some(Ok(address))) => Self::Address(address),
            (Principal::Anonymous, _) => Self::Unknown,
        }
    }
}
