//! The forwarded headers of proxies: `Forwarded` (RFC 7239), `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

use super::transport_security::TransportSecurity;
use crate::config::{HttpSettings, ProxyHeader};

/// One element of a forwarded header: what one proxy states about its own peer.
pub(super) struct Hop {
    /// None for an obfuscated or unknown address.
    pub(super) ip: Option<IpAddr>,
    pub(super) transport: TransportSecurity,
    /// The requested host; only `Forwarded` states it per element.
    host: Option<String>,
}

/// The host that the client requested, as the nearest trusted proxy states it.
pub fn forwarded_host(headers: &HeaderMap, settings: &HttpSettings) -> Option<String> {
    match settings.proxy_header {
        ProxyHeader::XForwardedFor => {
            let line = headers.get_all("x-forwarded-host").iter().next_back()?;
            let hosts = line.to_str().unwrap_or_default();
            Some(hosts.rsplit(',').next().unwrap_or_default().trim().to_owned())
        }
        ProxyHeader::Forwarded => forwarded(headers).pop()?.host,
    }
}

/// The elements of `X-Forwarded-For`, with the protocol of `X-Forwarded-Proto`.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let protocol = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
    let last = protocol.and_then(|text| text.rsplit(',').next()).map(str::trim);
    let transport = last.map_or(TransportSecurity::Unknown, TransportSecurity::of_protocol);
    let mut hops: Vec<_> = forwarded_addresses(headers).map(|ip| Hop { ip, transport, host: None }).collect();
    // Some proxies send the protocol without an address.
    if hops.is_empty() {
        hops.push(Hop { ip: None, transport, host: None });
    }
    hops
}

/// Each element of `X-Forwarded-For`; None for one that is not an address.
pub(super) fn forwarded_addresses(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let nodes = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    nodes.map(|node| std::str::from_utf8(node).ok().and_then(address))
}

/// `Forwarded: for=192.0.2.43;proto=https, for="[2001:db8::17]:4711"` (RFC 7239).
pub(super) fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let lines = headers.get_all(header::FORWARDED).iter();
    lines
        .flat_map(|line| split_outside_quotes(line.to_str().unwrap_or_default(), ','))
        .map(|element| {
            let mut hop = Hop { ip: None, transport: TransportSecurity::Unknown, host: None };
            for pair in split_outside_quotes(element, ';') {
                let (name, value) = pair.split_once('=').unwrap_or_default();
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => hop.ip = address(value),
                    "host" => hop.host = Some(value.to_owned()),
                    "proto" => hop.transport = TransportSecurity::of_protocol(value),
                    _ => {}
                }
            }
            hop
        })
        .collect()
}

fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
}

/// Parses an address as proxies write it: bare, with a port, or in brackets.
pub(super) fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let in_brackets = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = in_brackets.unwrap_or(node).parse::<IpAddr>();
    ip.or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip())).ok().map(|ip| ip.to_canonical())
}
