//! The settings of the HTTP side: who may call from a browser, which proxies are believed, how patient a connection is.

use std::{net::IpAddr, str::FromStr, time::Duration};

use clap::{Args, Parser, ValueEnum};
use ipnet::IpNet;
use url::Url;

/// Browsers, proxies and connections.
#[derive(Args, Debug)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// The web pages that may call the API from a browser, as a comma-separated list of origins such as
    /// `https://console.example.com,http://localhost:5173`; without it only the server's own pages may
    #[arg(long, env = "GUARDIANEYE_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<WebOrigin>,

    /// Request headers that these pages may send beside those that the server itself reads and the usual ones for tracing,
    /// as a comma-separated list
    #[arg(long, env = "GUARDIANEYE_CORS_HEADERS", value_name = "HEADERS", value_delimiter = ',')]
    pub cors_headers: Vec<CorsHeader>,

    /// The host names by which clients may address the server, as a comma-separated list without ports; IP addresses and
    /// `localhost` are always accepted. Without it any name is, except by a server that only this machine can reach
    #[arg(long, env = "GUARDIANEYE_ALLOWED_HOSTS", value_name = "NAMES", value_delimiter = ',')]
    pub allowed_hosts: Vec<HostName>,

    /// The proxies in front of the server, as a comma-separated list of addresses or networks such as
    /// `10.0.0.0/8,127.0.0.1`: only they may say, by the proxy header, for which client they ask
    #[arg(long, env = "GUARDIANEYE_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// The header in which the trusted proxies name the client; any other is ignored, as a client could have sent it
    #[arg(long, env = "GUARDIANEYE_PROXY_HEADER", value_name = "HEADER", default_value = "x-forwarded-for")]
    pub proxy_header: ProxyHeader,

    /// Take passwords and tokens over plain HTTP from other machines, too, as behind a port that only this machine
    /// reaches (a container's), or in a network in which nobody reads along
    #[arg(long, env = "GUARDIANEYE_ALLOW_PLAIN_HTTP", value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub allow_plain_http: bool,

    /// The headers of a request, in seconds from its first byte or from the connection's start
    #[arg(long, env = "GUARDIANEYE_HEADER_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub header_timeout: u32,

    /// The body of a request, in seconds; also how long a client may read an answer below the minimum rate
    #[arg(long, env = "GUARDIANEYE_BODY_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub body_timeout: u32,

    /// The rate at which a client has to read an answer, in bytes per second; after the time for a body below it, the
    /// connection is closed
    #[arg(long, env = "GUARDIANEYE_MIN_READ_BYTES_PER_SECOND", value_name = "BYTES", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub min_read_bytes_per_second: u32,

    /// A connection without a request, in seconds; behind a load balancer, longer than it keeps its connections
    #[arg(long, env = "GUARDIANEYE_IDLE_TIMEOUT", value_name = "SECONDS", default_value_t = 75, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub idle_timeout: u32,

    /// The request line and headers of a request together, in bytes; there are never more than 100 headers
    #[arg(long, env = "GUARDIANEYE_MAX_HEADER_BYTES", value_name = "BYTES", default_value_t = 32 * 1024, value_parser = clap::value_parser!(u32).range(8_192..=1_024 * 1024))]
    pub max_header_bytes: u32,

    /// Connections at the same time; more wait until one ends
    #[arg(long, env = "GUARDIANEYE_MAX_CONNECTIONS", value_name = "N", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Connections of one client address at the same time (of IPv6, of one network of 64 bits); more are refused. Trusted
    /// proxies are exempt; 0 is no limit [default: 256; none for a server that only this machine can reach]
    #[arg(long, env = "GUARDIANEYE_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub connections_per_address: Option<u32>,
}

/// Where a web page comes from, written as browsers write it in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(pub String);

impl FromStr for WebOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains('*') {
            return Err("a * would let web pages of strangers call the API: name the origins that may".to_owned());
        }
        let url = Url::parse(text).map_err(|_| "an origin looks like https://console.example.com".to_owned())?;
        let origin = url.origin();
        match origin.ascii_serialization() {
            _ if !origin.is_tuple() || !matches!(url.scheme(), "http" | "https") => {
                Err("an origin begins with https:// or http://".to_owned())
            }
            written if written == text => Ok(Self(written)),
            written => Err(format!("browsers write this origin {written}")),
        }
    }
}

/// A request header, as CORS lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsHeader(pub String);

impl FromStr for CorsHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // A token of RFC 9110, without the * that would mean any header.
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err("not the name of an HTTP header such as x-trace-id".to_owned());
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// A host name without a port, in lower case and without a dot at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(pub String);

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match url::Host::parse(text.strip_suffix('.').unwrap_or(text)) {
            Ok(url::Host::Domain(name)) if !name.contains('*') => Ok(Self(name)),
            Ok(url::Host::Domain(_)) => Err("a * is not taken: name each host".to_owned()),
            Ok(_) => Err("IP addresses are always accepted: list names only".to_owned()),
            Err(_) => Err("a host name looks like api.example.com, without scheme and port".to_owned()),
        }
    }
}

/// Addresses that begin alike; one alone is a network, too.
#[derive(Clone, Copy, Debug)]
pub struct Network(pub IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| "neither an address nor a network such as 10.0.0.0/8".to_owned())
    }
}

/// How proxies name the client. They add to one header and pass the other on as it came, so only one can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239), with its `proto`.
    Forwarded,
}

/// The settings of the HTTP side, side by side.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// The request headers that they may send beside the usual ones.
    pub cors_headers: Vec<String>,
    /// The host names that a request may have, beside `localhost` and IP addresses. None: any.
    pub allowed_hosts: Option<Vec<String>>,
    /// The peers whose proxy header is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_header: ProxyHeader,
    /// Whether passwords and tokens are taken over plain HTTP from other machines.
    pub allow_plain_http: bool,
    /// From a request's first byte, or the connection's start, to the end of its headers.
    pub header_timeout: Duration,
    /// For a request's body, and below the minimum rate while an answer is sent.
    pub body_timeout: Duration,
    /// The minimum rate at which a client reads an answer.
    pub min_read_bytes_per_second: u32,
    /// Between an answer and the next request.
    pub idle_timeout: Duration,
    /// Bytes of request line and headers.
    pub header_bytes: usize,
    /// Open at the same time.
    pub connections: usize,
    /// Open at the same time from one client address; None is no limit.
    pub connections_per_address: Option<usize>,
}

/// Connections of one client address where other machines can reach the server.
const CONNECTIONS_PER_ADDRESS: u32 = 256;

impl HttpSettings {
    /// Some defaults depend on whether only this machine can reach the server.
    pub(super) fn new(args: HttpArgs, private: bool) -> Self {
        let allowed_hosts: Vec<_> = args.allowed_hosts.into_iter().map(|HostName(name)| name).collect();
        let default_connections = if private { 0 } else { CONNECTIONS_PER_ADDRESS };
        let per_address = args.connections_per_address.unwrap_or(default_connections);
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            cors_origins: args.cors_origins.into_iter().map(|WebOrigin(origin)| origin).collect(),
            cors_headers: args.cors_headers.into_iter().map(|CorsHeader(name)| name).collect(),
            allowed_hosts: (private || !allowed_hosts.is_empty()).then_some(allowed_hosts),
            trusted_proxies: args.trusted_proxies.into_iter().map(|Network(network)| network).collect(),
            proxy_header: args.proxy_header,
            allow_plain_http: args.allow_plain_http,
            header_timeout: seconds(args.header_timeout),
            body_timeout: seconds(args.body_timeout),
            min_read_bytes_per_second: args.min_read_bytes_per_second,
            idle_timeout: seconds(args.idle_timeout),
            header_bytes: args.max_header_bytes as usize,
            connections: args.max_connections as usize,
            connections_per_address: (per_address > 0).then_some(per_address as usize),
        }
    }
}

impl Default for HttpSettings {
    /// The defaults of the command line, on an address that others can reach.
    fn default() -> Self {
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            http: HttpArgs,
        }
        Self::new(Defaults::parse_from(["http"]).http, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_only_as_browsers_write_it() {
        for good in ["https://console.example.com", "http://localhost:5173", "http://[::1]:8000", " https://a.b "] {
            assert_eq!(good.parse(), Ok(WebOrigin(good.trim().to_owned())), "{good}");
        }
        for (bad, sentence) in [
            ("*", "pages of strangers"),
            ("null", "looks like"),
            ("", "looks like"),
            ("console.example.com", "looks like"),
            ("https://*.example.com", "pages of strangers"),
            ("file:///etc/passwd", "begins with"),
            ("data:text/html,x", "begins with"),
            ("https://a.b/", "write this origin https://a.b"),
            ("https://a.b/path", "write this origin https://a.b"),
            ("https://A.b:443", "write this origin https://a.b"),
            ("https://user@a.b", "write this origin https://a.b"),
        ] {
            let refused = bad.parse::<WebOrigin>().expect_err(bad);
            assert!(refused.contains(sentence), "{bad}: {refused}");
        }
    }

    #[test]
    fn an_allowed_host_is_a_name_without_port() {
        for (text, name) in [
            ("api.example.com", "api.example.com"),
            (" API.Example.com. ", "api.example.com"),
            ("server", "server"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse(), Ok(HostName(name.to_owned())), "{text}");
        }
        for (bad, sentence) in [
            ("", "looks like"),
            ("api.example.com:8000", "without scheme and port"),
            ("https://api.example.com", "without scheme and port"),
            ("*.example.com", "name each host"),
            ("127.0.0.1", "always accepted"),
            ("[::1]", "always accepted"),
        ] {
            let refused = bad.parse::<HostName>().expect_err(bad);
            assert!(refused.contains(sentence), "{bad}: {refused}");
        }
    }

    #[test]
    fn an_additional_cors_header_is_named() {
        assert_eq!("X-Trace".parse(), Ok(CorsHeader("x-trace".to_owned())));
        for bad in ["*", "", "x trace", "x:y"] {
            assert!(bad.parse::<CorsHeader>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_may_be_one_address() {
        for (text, network) in
            [("10.0.0.0/8", "10.0.0.0/8"), ("127.0.0.1", "127.0.0.1/32"), ("::1", "::1/128"), ("fd00::/8", "fd00::/8")]
        {
            assert_eq!(text.parse::<Network>().expect(text).0.to_string(), network);
        }
        for bad in ["", "10.0.0.0/33", "proxy.internal", "10.0.0"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
