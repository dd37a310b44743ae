//! The host that a request names: an address of this machine, or a name.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::uri::Authority;

/// The length limit of DNS names, in characters.
const MAX_NAME: usize = 253;

/// The host of a request, without its port.
#[derive(Debug, PartialEq, Eq)]
pub enum Host {
    /// An IP address or `localhost`: browsers send neither after a DNS lookup.
    Local,
    /// In lower case, without a trailing dot.
    Name(String),
}

impl Host {
    /// Parses `host[:port]`, the value of the header `Host`; None if it is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok().filter(|_| !text.contains('@'))?;
        let host = authority.host();
        if let Some(address) = host.strip_prefix('[') {
            return address.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(|_| Self::Local);
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let local = name == "localhost" || name.ends_with(".localhost") || name.parse::<Ipv4Addr>().is_ok();
        match (local, (1..=MAX_NAME).contains(&name.len())) {
            (_, false) => None,
            (true, true) => Some(Self::Local),
            (false, true) => Some(Self::Name(name)),
        }
    }
}
