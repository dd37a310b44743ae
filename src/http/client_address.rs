//! The client address and the transport security of a request: those of the TCP peer, or those that the forwarded headers of
//! a trusted proxy state. Forwarded headers of any other peer are ignored.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, header},
};

use super::{
    forwarded_headers::{forwarded, x_forwarded_for},
    transport_security::TransportSecurity,
    untrusted_proxy,
};
use crate::{
    config::{HttpSettings, ProxyHeader},
    services::validation::is_hidden,
};

/// The connection between the client and the server; an extension of every request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientConnection {
    /// The client address; None only without a socket, as in tests.
    pub ip: Option<IpAddr>,
    pub transport: TransportSecurity,
    pub peer: Peer,
}

/// The role of the TCP peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// The client itself, as far as the server can see.
    #[default]
    Client,
    /// A proxy listed in `GUARDIANEYE_TRUSTED_PROXIES`: the server evaluates its forwarded headers.
    TrustedProxy,
    /// A proxy on this machine that is not listed there: its clients are unknown, and clients can forge its headers.
    UntrustedProxy,
}

impl ClientConnection {
    pub fn of(request: &Request, settings: &HttpSettings) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        peer.map(|ConnectInfo(peer)| Self::from_peer(peer.ip(), request.headers(), settings)).unwrap_or_default()
    }

    /// Each proxy appends its peer, so the client is the rightmost address that is not a trusted proxy.
    fn from_peer(peer: IpAddr, headers: &HeaderMap, settings: &HttpSettings) -> Self {
        let is_trusted = |ip: IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(&ip));
        let ip = peer.to_canonical();
        if !is_trusted(ip) {
            let (transport, peer) = match ip.is_loopback() {
                true if untrusted_proxy::is_forwarded_for_others(headers) => {
                    (TransportSecurity::Plaintext, Peer::UntrustedProxy)
                }
                true => (TransportSecurity::Unknown, Peer::Client),
                false => (TransportSecurity::Plaintext, Peer::Client),
            };
            return Self { ip: Some(ip), transport, peer };
        }
        let mut connection = Self { ip: Some(ip), transport: TransportSecurity::Unknown, peer: Peer::TrustedProxy };
        let hops = match settings.proxy_header {
            ProxyHeader::XForwardedFor => x_forwarded_for(headers),
            ProxyHeader::Forwarded => forwarded(headers),
        };
        for hop in hops.into_iter().rev() {
            connection.transport = hop.transport;
            // The elements further left come from an unknown sender.
            let Some(ip) = hop.ip else { break };
            connection.ip = Some(ip);
            if !is_trusted(ip) {
                break;
            }
        }
        connection
    }
}

/// The header `User-Agent` for logs and tables: at most 512 characters, hidden characters replaced by U+FFFD.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    const MAX_CHARS: usize = 512;
    let visible = |character: char| if is_hidden(character) { char::REPLACEMENT_CHARACTER } else { character };
    let text = String::from_utf8_lossy(headers.get(header::USER_AGENT)?.as_bytes());
    Some(text.chars().take(MAX_CHARS).map(visible).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(proxy_header: ProxyHeader) -> HttpSettings {
        let trusted_proxies = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network")).to_vec();
        HttpSettings { trusted_proxies, proxy_header, ..HttpSettings::default() }
    }

    fn resolve(peer: &str, proxy_header: ProxyHeader, lines: &[(&'static str, &str)]) -> (String, TransportSecurity) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        let connection =
            ClientConnection::from_peer(peer.parse().expect("an address"), &headers, &settings(proxy_header));
        (connection.ip.expect("an address").to_string(), connection.transport)
    }

    #[test]
    fn forwarded_headers_of_an_untrusted_peer_are_ignored() {
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            let forged = [
                ("x-forwarded-for", "198.51.100.1"),
                ("x-forwarded-proto", "https"),
                ("forwarded", "for=198.51.100.1;proto=https"),
            ];
            assert_eq!(
                resolve("203.0.113.9", header, &forged),
                ("203.0.113.9".to_owned(), TransportSecurity::Plaintext)
            );
        }
        let other_header = [("forwarded", "for=198.51.100.1;proto=https")];
        assert_eq!(
            resolve("10.0.0.1", ProxyHeader::XForwardedFor, &other_header),
            ("10.0.0.1".to_owned(), TransportSecurity::Unknown)
        );
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_not_a_trusted_proxy() {
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
            assert_eq!(resolve("10.0.0.1", ProxyHeader::XForwardedFor, &lines).0, client, "{lines:?}");
        }
        let mapped = resolve("::ffff:10.0.0.1", ProxyHeader::XForwardedFor, &[("x-forwarded-for", "198.51.100.1")]);
        assert_eq!(mapped.0, "198.51.100.1");
    }

    #[test]
    fn forwarded_is_parsed_as_rfc_7239_defines_it() {
        for (line, client, transport) in [
            ("for=192.0.2.43", "192.0.2.43", TransportSecurity::Unknown),
            ("For=\"[2001:db8:cafe::17]:4711\";Proto=https", "2001:db8:cafe::17", TransportSecurity::Tls),
            (
                "for=1.1.1.1;proto=https, for=192.0.2.43;proto=http;by=10.0.0.1",
                "192.0.2.43",
                TransportSecurity::Plaintext,
            ),
            ("for=192.0.2.43; proto=HTTPS, for=10.2.2.2; proto=http", "192.0.2.43", TransportSecurity::Tls),
            ("for=\"1.1.1.1, for=2.2.2.2\", for=192.0.2.43", "192.0.2.43", TransportSecurity::Unknown),
            ("for=1.1.1.1;proto=https, for=unknown", "10.0.0.1", TransportSecurity::Unknown),
            ("for=1.1.1.1, for=_hidden;proto=http", "10.0.0.1", TransportSecurity::Plaintext),
            ("nonsense", "10.0.0.1", TransportSecurity::Unknown),
        ] {
            let resolved = resolve("10.0.0.1", ProxyHeader::Forwarded, &[("forwarded", line)]);
            assert_eq!(resolved, (client.to_owned(), transport), "{line}");
        }
    }

    #[test]
    fn the_last_proxy_states_the_protocol() {
        for (protocol, transport) in [
            ("https", TransportSecurity::Tls),
            ("HTTPS", TransportSecurity::Tls),
            ("http", TransportSecurity::Plaintext),
            ("https, http", TransportSecurity::Plaintext),
            ("wss", TransportSecurity::Plaintext),
            ("", TransportSecurity::Plaintext),
        ] {
            let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", protocol)];
            assert_eq!(resolve("10.0.0.1", ProxyHeader::XForwardedFor, &lines).1, transport, "{protocol}");
            assert_eq!(
                resolve("10.0.0.1", ProxyHeader::XForwardedFor, &lines[1..]),
                ("10.0.0.1".to_owned(), transport)
            );
        }
    }

    #[test]
    fn the_transport_within_this_machine_is_not_plaintext() {
        for (peer, transport) in [
            ("127.0.0.1", TransportSecurity::Unknown),
            ("127.8.8.8", TransportSecurity::Unknown),
            ("::1", TransportSecurity::Unknown),
            ("::ffff:127.0.0.1", TransportSecurity::Unknown),
            ("192.168.1.7", TransportSecurity::Plaintext),
            ("::ffff:192.168.1.7", TransportSecurity::Plaintext),
            ("2001:db8::1", TransportSecurity::Plaintext),
        ] {
            assert_eq!(resolve(peer, ProxyHeader::XForwardedFor, &[]).1, transport, "{peer}");
            let forged = [("x-forwarded-proto", "https")];
            assert_eq!(resolve(peer, ProxyHeader::XForwardedFor, &forged).1, TransportSecurity::Plaintext, "{peer}");
        }
    }

    #[test]
    fn a_user_agent_is_truncated_and_its_hidden_characters_are_replaced() {
        for (sent, expected) in [
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
            assert_eq!(user_agent(&headers), Some(expected));
        }
        assert_eq!(user_agent(&HeaderMap::new()), None);
    }
}
