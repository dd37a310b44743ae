//! Detects an untrusted proxy on this machine: its requests come from a loopback address but serve remote clients.

use std::sync::Once;

use axum::http::{HeaderMap, HeaderName, header};

use super::{
    forwarded_headers::{address, forwarded, forwarded_addresses},
    host::Host,
};

/// The headers that proxies add.
const PROXY_HEADERS: [HeaderName; 7] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// Returns true if a request from a loopback address carries the header of a proxy, unless all clients and hosts that the
/// headers name are on this machine, as those of a development server are.
pub fn is_forwarded_for_others(headers: &HeaderMap) -> bool {
    if !PROXY_HEADERS.iter().any(|name| headers.contains_key(name)) {
        return false;
    }
    let real_ip = headers.get_all("x-real-ip").iter().map(|value| value.to_str().ok().and_then(address));
    let hops = forwarded(headers).into_iter().map(|hop| hop.ip);
    let mut clients = forwarded_addresses(headers).chain(hops).chain(real_ip).peekable();
    let mut hosts = headers.get_all("x-forwarded-host").iter();
    let is_local = |host: &str| Host::parse(host).is_some_and(|host| host == Host::Local);
    headers.contains_key(header::VIA)
        || clients.peek().is_none()
        || clients.any(|client| client.is_none_or(|ip| !ip.is_loopback()))
        || !hosts.all(|line| line.to_str().is_ok_and(|line| line.split(',').all(|host| is_local(host.trim()))))
}

/// Warns the operator once.
pub fn warn() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "a proxy on this machine is not listed in GUARDIANEYE_TRUSTED_PROXIES: the server treats its requests as remote \
             requests over plain HTTP and rejects default passwords. Add the address of the proxy to the list"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_detected_unless_all_its_clients_are_on_this_machine() {
        for (lines, detected) in [
            (&[][..], false),
            (&[("accept", "*/*"), ("x-request-id", "1")], false),
            (&[("x-forwarded-for", "127.0.0.1")], false),
            (&[("x-forwarded-for", "127.0.0.1, ::1"), ("x-forwarded-proto", "http")], false),
            (&[("x-forwarded-for", "::ffff:127.0.0.1"), ("x-forwarded-host", "localhost:5173")], false),
            (&[("forwarded", "for=\"[::1]:4711\"")], false),
            (&[("x-real-ip", "127.0.0.1")], false),
            (&[("x-forwarded-for", "127.0.0.1, 198.51.100.1")], true),
            (&[("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "198.51.100.1")], true),
            (&[("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=198.51.100.1")], true),
            (&[("x-forwarded-for", "127.0.0.1"), ("x-forwarded-host", "eye.example.com")], true),
            (&[("x-forwarded-for", "127.0.0.1"), ("via", "1.1 proxy")], true),
            (&[("x-forwarded-for", "unknown")], true),
            (&[("x-forwarded-for", "")], true),
            (&[("forwarded", "proto=https")], true),
            (&[("x-forwarded-proto", "https")], true),
            (&[("x-forwarded-host", "localhost")], true),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(HeaderName::from_static(name), value.parse().expect("a header"));
            }
            assert_eq!(is_forwarded_for_others(&headers), detected, "{lines:?}");
        }
    }
}
