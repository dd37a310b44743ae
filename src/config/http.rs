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

    /// The body of a request, in seconds; also the longest that a client may leave an answer unread
    #[arg(long, env = "GUARDIANEYE_BODY_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub body_timeout: u32,

    /// A connection without a request, in seconds; behind a load balancer, longer than it keeps its connections
    #[arg(long, env = "GUARDIANEYE_IDLE_TIMEOUT", value_name = "SECONDS", default_value_t = 75, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub idle_timeout: u32,

    /// The request line and headers of a request together, in bytes; there are never more than 100 headers
    #[arg(long, env = "GUARDIANEYE_MAX_HEADER_BYTES", value_name = "BYTES", default_value_t = 32 * 1024, value_parser = clap::value_parser!(u32).range(8_192..=1_024 * 1024))]
    pub max_header_bytes: u32,

    /// Connections at the same time; more wait until one ends
    #[arg(long, env = "GUARDIANEYE_MAX_CONNECTIONS", value_name = "N", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
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
    /// The peers whose proxy header is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_header: ProxyHeader,
    /// Whether passwords and tokens are taken over plain HTTP from other machines.
    pub allow_plain_http: bool,
    /// From a request's first byte, or the connection's start, to the end of its headers.
    pub header_timeout: Duration,
    /// For a request's body, and without progress while an answer is sent.
    pub body_timeout: Duration,
    /// Between an answer and the next request.
    pub idle_timeout: Duration,
    /// Bytes of request line and headers.
    pub header_bytes: usize,
    /// Open at the same time.
    pub connections: usize,
}

impl From<HttpArgs> for HttpSettings {
    fn from(args: HttpArgs) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            cors_origins: args.cors_origins.into_iter().map(|WebOrigin(origin)| origin).collect(),
            trusted_proxies: args.trusted_proxies.into_iter().map(|Network(network)| network).collect(),
            proxy_header: args.proxy_header,
            allow_plain_http: args.allow_plain_http,
            header_timeout: seconds(args.header_timeout),
            body_timeout: seconds(args.body_timeout),
            idle_timeout: seconds(args.idle_timeout),
            header_bytes: args.max_header_bytes as usize,
            connections: args.max_connections as usize,
        }
    }
}

impl Default for HttpSettings {
    /// The defaults of the command line.
    fn default() -> Self {
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            http: HttpArgs,
        }
        Self::from(Defaults::parse_from(["http"]).http)
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
