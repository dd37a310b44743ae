//! The host that a request names: where only this machine can reach the server, a foreign one is DNS rebinding.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderName, Request, StatusCode},
};
use guardianeye::{
    config::{HttpSettings, ProxyHeader},
    graphql::GraphqlApi,
    http::App,
};

use crate::support::{Database, Reply, Server, TestApp, on_both};

const PATHS: [&str; 6] =
    ["/", "/graphql?query=%7B__typename%7D", "/health/live", "/health/ready", "/.well-known/jwks.json", "/nowhere"];

on_both!(
    a_foreign_host_is_misdirected_on_every_path,
    addresses_localhost_and_listed_names_are_accepted_in_any_case_with_any_port,
    no_host_two_hosts_and_a_broken_one_are_bad_requests,
    the_host_in_an_absolute_target_counts_too,
    behind_a_trusted_proxy_its_forwarded_host_counts,
    dns_rebinding_does_not_reach_the_first_admin
);

async fn a_foreign_host_is_misdirected_on_every_path(app: &TestApp) {
    let router = server(app, &private());
    for path in PATHS {
        for host in
            ["evil.example", "evil.example:8000", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example"]
        {
            let reply = ask(&router, path, &[("host", host)]).await;
            assert_eq!(
                (reply.status, reply.code()),
                (StatusCode::MISDIRECTED_REQUEST, "BAD_USER_INPUT"),
                "{host} {path}"
            );
            let name = host.trim_end_matches(":8000");
            assert!(reply.message().contains(&format!("`{name}`")), "{}", reply.message());
            assert!(reply.message().contains("GUARDIANEYE_ALLOWED_HOSTS"), "{}", reply.message());
            assert_eq!(reply.headers["x-content-type-options"], "nosniff");
            assert!(reply.headers.contains_key("x-request-id"));
        }
    }
}

async fn addresses_localhost_and_listed_names_are_accepted_in_any_case_with_any_port(app: &TestApp) {
    let settings = HttpSettings { allowed_hosts: Some(vec!["api.example.com".to_owned()]), ..HttpSettings::default() };
    let router = server(app, &settings);
    for host in [
        "127.0.0.1",
        "127.0.0.1:8000",
        "[::1]",
        "[::1]:8000",
        "192.0.2.1",
        "localhost",
        "LOCALHOST:5173",
        "localhost.",
        "app.localhost:8000",
        "api.example.com",
        "API.example.com:443",
        "api.example.com.:8000",
    ] {
        assert_eq!(ask(&router, "/health/live", &[("host", host)]).await.status, StatusCode::OK, "{host}");
    }
    let other = ask(&router, "/health/live", &[("host", "www.example.com")]).await;
    assert_eq!(other.status, StatusCode::MISDIRECTED_REQUEST);
    // Without the setting, others reach the server by names that it does not know.
    let open = server(app, &HttpSettings::default());
    assert_eq!(ask(&open, "/health/live", &[("host", "www.example.com")]).await.status, StatusCode::OK);
}

async fn no_host_two_hosts_and_a_broken_one_are_bad_requests(app: &TestApp) {
    let router = server(app, &private());
    for hosts in [
        &[][..],
        &[("host", "localhost"), ("host", "localhost")],
        &[("host", "localhost"), ("host", "evil.example")],
        &[("host", "")],
        &[("host", &*"x".repeat(254))],
        &[("host", "a b")],
        &[("host", "user@localhost")],
        &[("host", "localhost/")],
        &[("host", "[::1")],
    ] {
        let reply = ask(&router, "/health/live", hosts).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"), "{hosts:?}");
    }
}

async fn the_host_in_an_absolute_target_counts_too(app: &TestApp) {
    let router = server(app, &private());
    for (target, host, status) in [
        ("http://localhost:8000/health/live", "localhost:8000", StatusCode::OK),
        ("http://evil.example/health/live", "localhost", StatusCode::MISDIRECTED_REQUEST),
        ("http://localhost/health/live", "evil.example", StatusCode::MISDIRECTED_REQUEST),
    ] {
        assert_eq!(ask(&router, target, &[("host", host)]).await.status, status, "{target} {host}");
    }
}

async fn behind_a_trusted_proxy_its_forwarded_host_counts(app: &TestApp) {
    let by = |proxy_header| HttpSettings {
        allowed_hosts: Some(vec!["api.example.com".to_owned()]),
        trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")],
        proxy_header,
        ..HttpSettings::default()
    };
    let (x, rfc) = (by(ProxyHeader::XForwardedFor), by(ProxyHeader::Forwarded));
    let misdirected = StatusCode::MISDIRECTED_REQUEST;
    for (settings, peer, host, forwarded, status) in [
        (&x, "10.0.0.1", "upstream", ("x-forwarded-host", "api.example.com"), StatusCode::OK),
        (&x, "10.0.0.1", "upstream", ("x-forwarded-host", "evil.example, api.example.com:443"), StatusCode::OK),
        (&x, "10.0.0.1", "upstream", ("x-forwarded-host", "api.example.com, evil.example"), misdirected),
        (&x, "10.0.0.1", "api.example.com", ("x-forwarded-host", "evil.example"), misdirected),
        (&x, "10.0.0.1", "upstream", ("forwarded", "host=api.example.com"), misdirected),
        (&x, "10.0.0.1", "api.example.com", ("x-forwarded-for", "198.51.100.1"), StatusCode::OK),
        (&x, "192.0.2.1", "evil.example", ("x-forwarded-host", "api.example.com"), misdirected),
        (&rfc, "10.0.0.1", "upstream", ("forwarded", "for=192.0.2.43;host=\"api.example.com:443\""), StatusCode::OK),
        (
            &rfc,
            "10.0.0.1",
            "upstream",
            ("forwarded", "host=api.example.com, for=192.0.2.43;host=evil.example"),
            misdirected,
        ),
        (&rfc, "10.0.0.1", "upstream", ("x-forwarded-host", "api.example.com"), misdirected),
    ] {
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        let request = Request::get("/health/live").header("host", host).header(forwarded.0, forwarded.1);
        let request = request.extension(ConnectInfo(peer)).body(Body::empty()).expect("a request");
        assert_eq!(Reply::of(server(app, settings), request).await.status, status, "{host} {forwarded:?} by {peer}");
    }
}

async fn dns_rebinding_does_not_reach_the_first_admin(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let login = r#"{"query":"mutation { login(input: {username: \"admin\", password: \"admin\"}) { expiresAt } }"}"#;
    let server = Server::start(&database.url, &["--migrate"], &[]);
    assert!(server.post_to("localhost", login).contains("expiresAt"));
    let refused = server.post_to("evil.example", login);
    assert!(refused.starts_with("HTTP/1.1 421 "), "{refused}");
    server.stop();
    let server = Server::start(&database.url, &[], &[("GUARDIANEYE_ALLOWED_HOSTS", "eye.example,other.example")]);
    assert!(server.post_to("eye.example:8000", login).contains("expiresAt"));
    assert!(server.post_to("evil.example", login).starts_with("HTTP/1.1 421 "));
    server.stop();
    database.remove().await;
}

/// As a server that only this machine can reach is by default.
fn private() -> HttpSettings {
    HttpSettings { allowed_hosts: Some(Vec::new()), ..HttpSettings::default() }
}

fn server(app: &TestApp, settings: &HttpSettings) -> Router {
    let services = Arc::new(app.services.clone());
    App { api: GraphqlApi::default(), services, http: Arc::new(settings.clone()) }.router()
}

async fn ask(router: &Router, target: &str, headers: &[(&'static str, &str)]) -> Reply {
    let mut request = Request::get(target).body(Body::empty()).expect("a request");
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), value.parse().expect("a value"));
    }
    Reply::of(router.clone(), request).await
}
