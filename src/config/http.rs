//! The settings of the HTTP layer: CORS, allowed hosts, trusted proxies, timeouts and limits of connections.

use std::{net::IpAddr, str::FromStr, time::Duration};

use clap::{Args, Parser, ValueEnum};
use ipnet::IpNet;
use url::Url;

/// The arguments of the HTTP layer.
#[derive(Args, Debug)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// The origins whose web pages may call the API (CORS), as a comma-separated list such as
    /// `https://console.example.com,http://localhost:5173` [default: only the pages of the server itself]
    #[arg(long, env = "GUARDIANEYE_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<WebOrigin>,

    /// Additional request headers that CORS allows, as a comma-separated list; the headers that the server reads and those of
    /// tracing are always allowed
    #[arg(long, env = "GUARDIANEYE_CORS_HEADERS", value_name = "HEADERS", value_delimiter = ',')]
    pub cors_headers: Vec<CorsHeader>,

    /// The allowed host names of requests, as a comma-separated list without ports; IP addresses and `localhost` are always
    /// allowed [default: all names; none on a private server]
    #[arg(long, env = "GUARDIANEYE_ALLOWED_HOSTS", value_name = "NAMES", value_delimiter = ',')]
    pub allowed_hosts: Vec<HostName>,

    /// The proxies in front of the server, as a comma-separated list of addresses or networks such as
    /// `10.0.0.0/8,127.0.0.1`: the server evaluates the proxy header of their requests only
    #[arg(long, env = "GUARDIANEYE_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// The header in which trusted proxies state the client address; the server ignores the other one, which clients can forge
    #[arg(long, env = "GUARDIANEYE_PROXY_HEADER", value_name = "HEADER", default_value = "x-forwarded-for")]
    pub proxy_header: ProxyHeader,

    /// Accept passwords and tokens over plain HTTP from other machines, for example if a container port is published on
    /// loopback only, or in a trusted network
    #[arg(long, env = "GUARDIANEYE_ALLOW_PLAIN_HTTP", value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub allow_plain_http: bool,

    /// The header timeout, in seconds from the first byte of a request or from the start of the connection
    #[arg(long, env = "GUARDIANEYE_HEADER_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub header_timeout: u32,

    /// The body timeout, in seconds; also the time for which a client may read a response below the minimum rate
    #[arg(long, env = "GUARDIANEYE_BODY_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub body_timeout: u32,

    /// The minimum rate at which a client reads a response, in bytes per second; the server closes the connection of a client
    /// that is below it for longer than the body timeout
    #[arg(long, env = "GUARDIANEYE_MIN_READ_BYTES_PER_SECOND", value_name = "BYTES", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub min_read_bytes_per_second: u32,

    /// The idle timeout of a connection, in seconds; it should exceed the idle timeout of a load balancer
    #[arg(long, env = "GUARDIANEYE_IDLE_TIMEOUT", value_name = "SECONDS", default_value_t = 75, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub idle_timeout: u32,

    /// The size of the request line and headers, in bytes; the number of headers is limited to 100
    #[arg(long, env = "GUARDIANEYE_MAX_HEADER_BYTES", value_name = "BYTES", default_value_t = 32 * 1024, value_parser = clap::value_parser!(u32).range(8_192..=1_024 * 1024))]
    pub max_header_bytes: u32,

    /// Concurrent connections; further connections wait
    #[arg(long, env = "GUARDIANEYE_MAX_CONNECTIONS", value_name = "N", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Concurrent connections of one client address (an IPv6 network of 64 bits); the server rejects further connections.
    /// Trusted proxies are exempt; 0 is no limit [default: 256; no limit on a private server]
    #[arg(long, env = "GUARDIANEYE_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub connections_per_address: Option<u32>,
}

/// An origin, serialized as browsers send it in the header `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(pub String);

impl FromStr for WebOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains('*') {
            return Err("a * would allow every web page to call the API: list the origins".to_owned());
        }
        let url =
            Url::parse(text).map_err(|_| "invalid origin; an example is https://console.example.com".to_owned())?;
        let origin = url.origin();
        match origin.ascii_serialization() {
            _ if !origin.is_tuple() || !matches!(url.scheme(), "http" | "https") => {
                Err("an origin starts with https:// or http://".to_owned())
            }
            written if written == text => Ok(Self(written)),
            written => Err(format!("browsers send this origin as {written}")),
        }
    }
}

/// The name of a request header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsHeader(pub String);

impl FromStr for CorsHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // A token of RFC 9110 without `*`, which would allow any header.
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err("invalid name of an HTTP header; an example is x-trace-id".to_owned());
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// A host name without a port, in lower case and without a trailing dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(pub String);

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match url::Host::parse(text.strip_suffix('.').unwrap_or(text)) {
            Ok(url::Host::Domain(name)) if !name.contains('*') => Ok(Self(name)),
            Ok(url::Host::Domain(_)) => Err("a * is not supported: list each host".to_owned()),
            Ok(_) => Err("IP addresses are always allowed: list names only".to_owned()),
            Err(_) => Err("invalid host name; an example is api.example.com, without scheme and port".to_owned()),
        }
    }
}

/// A network in CIDR notation, or a single address.
#[derive(Clone, Copy, Debug)]
pub struct Network(pub IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| "neither an IP address nor a network such as 10.0.0.0/8".to_owned())
    }
}

/// The header in which proxies state the client address. A proxy appends to one header and passes on the other unchanged, so
/// only one can be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239), with its `proto`.
    Forwarded,
}

/// The settings of the HTTP layer.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The allowed origins of CORS.
    pub cors_origins: Vec<String>,
    /// The additional request headers of CORS.
    pub cors_headers: Vec<String>,
    /// The allowed host names, in addition to `localhost` and IP addresses. None: all.
    pub allowed_hosts: Option<Vec<String>>,
    /// The peers whose proxy header the server evaluates.
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_header: ProxyHeader,
    /// Whether the server accepts passwords and tokens over plain HTTP from other machines.
    pub allow_plain_http: bool,
    /// From the first byte of a request, or the start of the connection, to the end of the headers.
    pub header_timeout: Duration,
    /// For the body of a request, and for reading a response below the minimum rate.
    pub body_timeout: Duration,
    /// The minimum rate at which a client reads a response.
    pub min_read_bytes_per_second: u32,
    /// Between a response and the next request.
    pub idle_timeout: Duration,
    /// Bytes of the request line and headers.
    pub header_bytes: usize,
    /// Concurrent connections.
    pub connections: usize,
    /// Concurrent connections of one client address; None: no limit.
    pub connections_per_address: Option<usize>,
}

/// The default connection limit of one client address, if other machines can reach the server.
const CONNECTIONS_PER_ADDRESS: u32 = 256;

impl HttpSettings {
    /// Some defaults depend on whether the server is private.
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
    /// The defaults of the command line for a server that other machines can reach.
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
    fn an_origin_must_be_serialized_as_browsers_send_it() {
        for good in ["https://console.example.com", "http://localhost:5173", "http://[::1]:8000", " https://a.b "] {
            assert_eq!(good.parse(), Ok(WebOrigin(good.trim().to_owned())), "{good}");
        }
        for (bad, message) in [
            ("*", "every web page"),
            ("null", "invalid"),
            ("", "invalid"),
            ("console.example.com", "invalid"),
            ("https://*.example.com", "every web page"),
            ("file:///etc/passwd", "starts with"),
            ("data:text/html,x", "starts with"),
            ("https://a.b/", "send this origin as https://a.b"),
            ("https://a.b/path", "send this origin as https://a.b"),
            ("https://A.b:443", "send this origin as https://a.b"),
            ("https://user@a.b", "send this origin as https://a.b"),
        ] {
            let error = bad.parse::<WebOrigin>().expect_err(bad);
            assert!(error.contains(message), "{bad}: {error}");
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
        for (bad, message) in [
            ("", "invalid"),
            ("api.example.com:8000", "without scheme and port"),
            ("https://api.example.com", "without scheme and port"),
            ("*.example.com", "list each host"),
            ("127.0.0.1", "always allowed"),
            ("[::1]", "always allowed"),
        ] {
            let error = bad.parse::<HostName>().expect_err(bad);
            assert!(error.contains(message), "{bad}: {error}");
        }
    }

    #[test]
    fn an_additional_cors_header_is_a_valid_name() {
        assert_eq!("X-Trace".parse(), Ok(CorsHeader("x-trace".to_owned())));
        for bad in ["*", "", "x trace", "x:y"] {
            assert!(bad.parse::<CorsHeader>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_may_be_a_single_address() {
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
