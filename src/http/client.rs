//! Which client asks: the peer, or whom a trusted proxy names for it. What anybody else claims to be is ignored.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, header},
};

use crate::config::{HttpSettings, ProxyHeader};

/// The other end of a request; an extension of every request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// Unknown only where no socket is, as in tests.
    pub ip: Option<IpAddr>,
    /// Whether a trusted proxy says that it was asked over TLS.
    pub https: bool,
}

/// What one proxy on the way says of whoever asked it.
struct Hop {
    /// None when the proxy does not know or does not tell.
    ip: Option<IpAddr>,
    https: bool,
}

impl Remote {
    pub fn of(request: &Request, settings: &HttpSettings) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        peer.map(|ConnectInfo(peer)| Self::behind(peer.ip(), request.headers(), settings)).unwrap_or_default()
    }

    /// Each proxy adds its peer at the right, so going left from our own peer the first stranger is the client.
    fn behind(peer: IpAddr, headers: &HeaderMap, settings: &HttpSettings) -> Self {
        let trusted = |ip: IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(&ip));
        let mut remote = Self { ip: Some(peer.to_canonical()), https: false };
        if !trusted(peer.to_canonical()) {
            return remote;
        }
        let hops = match settings.proxy_header {
            ProxyHeader::XForwardedFor => x_forwarded_for(headers),
            ProxyHeader::Forwarded => forwarded(headers),
        };
        for hop in hops.into_iter().rev() {
            remote.https = hop.https;
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

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let protocol = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
    let last = protocol.and_then(|text| text.rsplit(',').next()).map(str::trim);
    let https = last.is_some_and(|text| text.eq_ignore_ascii_case("https"));
    let lines = headers.get_all("x-forwarded-for").iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(|node| Hop { ip: std::str::from_utf8(node).ok().and_then(address), https })
        .collect()
}

/// `Forwarded: for=192.0.2.43;proto=https, for="[2001:db8::17]:4711"` (RFC 7239).
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let lines = headers.get_all(header::FORWARDED).iter();
    lines
        .flat_map(|line| split_outside_quotes(line.to_str().unwrap_or_default(), ','))
        .map(|element| {
            let mut hop = Hop { ip: None, https: false };
            for pair in split_outside_quotes(element, ';') {
                let (name, value) = pair.split_once('=').unwrap_or_default();
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => hop.ip = address(value),
                    "proto" => hop.https = value.eq_ignore_ascii_case("https"),
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
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let in_brackets = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = in_brackets.unwrap_or(node).parse::<IpAddr>();
    ip.or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip())).ok().map(|ip| ip.to_canonical())
}

/// What the client calls itself, made harmless for logs and tables: at most 512 characters, none of which moves the
/// cursor, breaks the line or turns the direction of writing.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    const MAX_CHARS: usize = 512;
    let harmless = |character: char| match character {
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ if character.is_control() => char::REPLACEMENT_CHARACTER,
        _ => character,
    };
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

    fn ask(peer: &str, proxy_header: ProxyHeader, lines: &[(&'static str, &str)]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        let remote = Remote::behind(peer.parse().expect("an address"), &headers, &settings(proxy_header));
        (remote.ip.expect("an address").to_string(), remote.https)
    }

    #[test]
    fn a_stranger_cannot_claim_to_be_somebody_else() {
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            let lies = [
                ("x-forwarded-for", "198.51.100.1"),
                ("x-forwarded-proto", "https"),
                ("forwarded", "for=198.51.100.1;proto=https"),
            ];
            assert_eq!(ask("203.0.113.9", header, &lies), ("203.0.113.9".to_owned(), false));
        }
        let other_header = [("forwarded", "for=198.51.100.1;proto=https")];
        assert_eq!(ask("10.0.0.1", ProxyHeader::XForwardedFor, &other_header), ("10.0.0.1".to_owned(), false));
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
        for (line, client, https) in [
            ("for=192.0.2.43", "192.0.2.43", false),
            ("For=\"[2001:db8:cafe::17]:4711\";Proto=https", "2001:db8:cafe::17", true),
            ("for=1.1.1.1;proto=https, for=192.0.2.43;proto=http;by=10.0.0.1", "192.0.2.43", false),
            ("for=192.0.2.43; proto=HTTPS, for=10.2.2.2; proto=http", "192.0.2.43", true),
            ("for=\"1.1.1.1, for=2.2.2.2\", for=192.0.2.43", "192.0.2.43", false),
            ("for=1.1.1.1, for=unknown", "10.0.0.1", false),
            ("for=1.1.1.1, for=_hidden", "10.0.0.1", false),
            ("nonsense", "10.0.0.1", false),
        ] {
            let told = ask("10.0.0.1", ProxyHeader::Forwarded, &[("forwarded", line)]);
            assert_eq!(told, (client.to_owned(), https), "{line}");
        }
    }

    #[test]
    fn the_last_proxy_says_whether_it_was_asked_over_tls() {
        for (protocol, https) in
            [("https", true), ("HTTPS", true), ("http", false), ("https, http", false), ("", false)]
        {
            let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", protocol)];
            assert_eq!(ask("10.0.0.1", ProxyHeader::XForwardedFor, &lines).1, https, "{protocol}");
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
