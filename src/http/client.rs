//! Which client asks: the peer, or whom a trusted proxy names for it. What anybody else claims to be is ignored.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, header},
};

use super::unnamed_proxy;
use crate::{
    config::{HttpSettings, ProxyHeader},
    services::characters::is_hidden,
};

/// The other end of a request; an extension of every request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// Unknown only where no socket is, as in tests.
    pub ip: Option<IpAddr>,
    pub way: Way,
    pub proxy: Proxy,
}

/// What the peer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// No proxy that we know of.
    #[default]
    None,
    /// Named in `GUARDIANEYE_TRUSTED_PROXIES`: its headers are believed.
    Trusted,
    /// A proxy on this machine that is not named there: who asks it may be anybody, and its headers may be anybody's.
    Unnamed,
}

/// Who may have read along between the client and us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Nobody that we know of: it came from this machine, or by a trusted proxy that does not say how it was asked.
    #[default]
    Untold,
    /// Nobody: a trusted proxy says that it was asked over TLS.
    Tls,
    /// Anybody: it came from another machine as it is, or a trusted proxy says that it was asked over plain HTTP.
    Plain,
}

impl Way {
    fn of_protocol(name: &str) -> Self {
        if name.eq_ignore_ascii_case("https") { Self::Tls } else { Self::Plain }
    }
}

/// What one proxy on the way says of whoever asked it.
pub(super) struct Hop {
    /// None when the proxy does not know or does not tell.
    pub(super) ip: Option<IpAddr>,
    way: Way,
    /// The host that it was asked for, where its header tells that.
    host: Option<String>,
}

impl Remote {
    pub fn of(request: &Request, settings: &HttpSettings) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        peer.map(|ConnectInfo(peer)| Self::behind(peer.ip(), request.headers(), settings)).unwrap_or_default()
    }

    /// Each proxy adds its peer at the right, so going left from our own peer the first stranger is the client.
    fn behind(peer: IpAddr, headers: &HeaderMap, settings: &HttpSettings) -> Self {
        let trusted = |ip: IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(&ip));
        let peer = peer.to_canonical();
        if !trusted(peer) {
            let unnamed = peer.is_loopback() && unnamed_proxy::asks_for_others(headers);
            let proxy = if unnamed { Proxy::Unnamed } else { Proxy::None };
            let way = if peer.is_loopback() && !unnamed { Way::Untold } else { Way::Plain };
            return Self { ip: Some(peer), way, proxy };
        }
        let mut remote = Self { ip: Some(peer), way: Way::Untold, proxy: Proxy::Trusted };
        let hops = match settings.proxy_header {
            ProxyHeader::XForwardedFor => x_forwarded_for(headers),
            ProxyHeader::Forwarded => forwarded(headers),
        };
        for hop in hops.into_iter().rev() {
            remote.way = hop.way;
            // Whoever is further left was named by somebody unknown.
            let Some(ip) = hop.ip else { break };
            remote.ip = Some(ip);
            if !trusted(ip) {
                break;
            }
        }
        remote
    }
}

/// The host that a trusted proxy was asked for, as the nearest one tells it.
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

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let protocol = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
    let last = protocol.and_then(|text| text.rsplit(',').next()).map(str::trim);
    let way = last.map_or(Way::Untold, Way::of_protocol);
    let mut hops: Vec<_> = forwarded_addresses(headers).map(|ip| Hop { ip, way, host: None }).collect();
    // Some proxies tell the protocol only.
    if hops.is_empty() {
        hops.push(Hop { ip: None, way, host: None });
    }
    hops
}

/// Each node of `X-Forwarded-For`; None for one that is no address.
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
            let mut hop = Hop { ip: None, way: Way::Untold, host: None };
            for pair in split_outside_quotes(element, ';') {
                let (name, value) = pair.split_once('=').unwrap_or_default();
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => hop.ip = address(value),
                    "host" => hop.host = Some(value.to_owned()),
                    "proto" => hop.way = Way::of_protocol(value),
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

/// An address as proxies write it: plain, with a port, in brackets.
pub(super) fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let in_brackets = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = in_brackets.unwrap_or(node).parse::<IpAddr>();
    ip.or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip())).ok().map(|ip| ip.to_canonical())
}

/// What the client calls itself, made harmless for logs and tables: at most 512 characters, none of which is hidden.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    const MAX_CHARS: usize = 512;
    let harmless = |character: char| if is_hidden(character) { char::REPLACEMENT_CHARACTER } else { character };
    let text = String::from_utf8_lossy(headers.get(header::USER_AGENT)?.as_bytes());
    Some(text.chars().take(MAX_CHARS).map(harmless).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(proxy_header: ProxyHeader) -> HttpSettings {
        let trusted_proxies = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network")).to_vec();
        HttpSettings { trusted_proxies, proxy_header, ..HttpSettings::default() }
    }

    fn ask(peer: &str, proxy_header: ProxyHeader, lines: &[(&'static str, &str)]) -> (String, Way) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        let remote = Remote::behind(peer.parse().expect("an address"), &headers, &settings(proxy_header));
        (remote.ip.expect("an address").to_string(), remote.way)
    }

    #[test]
    fn a_stranger_cannot_claim_to_be_somebody_else() {
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            let lies = [
                ("x-forwarded-for", "198.51.100.1"),
                ("x-forwarded-proto", "https"),
                ("forwarded", "for=198.51.100.1;proto=https"),
            ];
            assert_eq!(ask("203.0.113.9", header, &lies), ("203.0.113.9".to_owned(), Way::Plain));
        }
        let other_header = [("forwarded", "for=198.51.100.1;proto=https")];
        assert_eq!(ask("10.0.0.1", ProxyHeader::XForwardedFor, &other_header), ("10.0.0.1".to_owned(), Way::Untold));
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_proxy() {
        for (lines, client) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            (&["1.1.1.1", "198.51.100.1, 10.2.2.2"], "198.51.100.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["[2001:db8::17]:4711"], "2001:db8::17"),
            (&["[2001:db8::17]"], "2001:db8::17"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
            (&["1.1.1.1, unknown, 10.2.2.2"], "10.2.2.2"),
            (&["1.1.1.1, ' or 1=1 --"], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            (&[], "10.0.0.1"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(ask("10.0.0.1", ProxyHeader::XForwardedFor, &lines).0, client, "{lines:?}");
        }
        let mapped = ask("::ffff:10.0.0.1", ProxyHeader::XForwardedFor, &[("x-forwarded-for", "198.51.100.1")]);
        assert_eq!(mapped.0, "198.51.100.1");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (line, client, way) in [
            ("for=192.0.2.43", "192.0.2.43", Way::Untold),
            ("For=\"[2001:db8:cafe::17]:4711\";Proto=https", "2001:db8:cafe::17", Way::Tls),
            ("for=1.1.1.1;proto=https, for=192.0.2.43;proto=http;by=10.0.0.1", "192.0.2.43", Way::Plain),
            ("for=192.0.2.43; proto=HTTPS, for=10.2.2.2; proto=http", "192.0.2.43", Way::Tls),
            ("for=\"1.1.1.1, for=2.2.2.2\", for=192.0.2.43", "192.0.2.43", Way::Untold),
            ("for=1.1.1.1;proto=https, for=unknown", "10.0.0.1", Way::Untold),
            ("for=1.1.1.1, for=_hidden;proto=http", "10.0.0.1", Way::Plain),
            ("nonsense", "10.0.0.1", Way::Untold),
        ] {
            let told = ask("10.0.0.1", ProxyHeader::Forwarded, &[("forwarded", line)]);
            assert_eq!(told, (client.to_owned(), way), "{line}");
        }
    }

    #[test]
    fn the_last_proxy_says_whether_it_was_asked_over_tls() {
        for (protocol, way) in [
            ("https", Way::Tls),
            ("HTTPS", Way::Tls),
            ("http", Way::Plain),
            ("https, http", Way::Plain),
            ("wss", Way::Plain),
            ("", Way::Plain),
        ] {
            let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", protocol)];
            assert_eq!(ask("10.0.0.1", ProxyHeader::XForwardedFor, &lines).1, way, "{protocol}");
            assert_eq!(ask("10.0.0.1", ProxyHeader::XForwardedFor, &lines[1..]), ("10.0.0.1".to_owned(), way));
        }
    }

    #[test]
    fn between_two_programs_of_this_machine_nobody_reads_along() {
        for (peer, way) in [
            ("127.0.0.1", Way::Untold),
            ("127.8.8.8", Way::Untold),
            ("::1", Way::Untold),
            ("::ffff:127.0.0.1", Way::Untold),
            ("192.168.1.7", Way::Plain),
            ("::ffff:192.168.1.7", Way::Plain),
            ("2001:db8::1", Way::Plain),
        ] {
            assert_eq!(ask(peer, ProxyHeader::XForwardedFor, &[]).1, way, "{peer}");
            let lie = [("x-forwarded-proto", "https")];
            assert_eq!(ask(peer, ProxyHeader::XForwardedFor, &lie).1, Way::Plain, "{peer}");
        }
    }

    #[test]
    fn a_user_agent_is_cut_and_made_harmless() {
        for (sent, kept) in [
            ("curl/8.5".as_bytes().to_vec(), "curl/8.5".to_owned()),
            (
                "a\tb\u{85}c\u{202e}d\u{2066}e\u{feff}".into(),
                "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}".to_owned(),
            ),
            (vec![b'a', 0xff], "a\u{fffd}".to_owned()),
            ("é".repeat(10_000).into_bytes(), "é".repeat(512)),
        ] {
            let value = axum::http::HeaderValue::from_bytes(&sent).expect("a header");
            let headers = HeaderMap::from_iter([(header::USER_AGENT, value)]);
            assert_eq!(user_agent(&headers), Some(kept));
        }
        assert_eq!(user_agent(&HeaderMap::new()), None);
    }
}
