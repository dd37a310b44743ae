//! What is believed of a proxy: a trusted one may name the request, and one that nobody has named is noticed.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use guardianeye::{
    config::HttpSettings,
    graphql::GraphqlApi,
    http::App,
    model::{Role, User, UserId},
};
use serde_json::json;

use crate::support::{Database, Reply, Server, TestApp, on_both};

/// What proxies add to a request, each of which shows that there is one.
const TRACES: [(&str, &str); 8] = [
    ("x-forwarded-for", "198.51.100.1"),
    ("x-forwarded-for", "127.0.0.1, 198.51.100.1"),
    ("x-real-ip", "198.51.100.1"),
    ("forwarded", "for=198.51.100.1;proto=https"),
    ("forwarded", "proto=https"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "api.example.com"),
    ("via", "1.1 proxy"),
];

on_both!(
    a_request_id_is_taken_only_from_a_trusted_proxy,
    a_request_through_an_untrusted_proxy_on_this_machine_is_a_strangers,
    default_passwords_do_not_hold_through_an_untrusted_proxy,
    an_untrusted_proxy_is_warned_of_once
);

async fn a_request_id_is_taken_only_from_a_trusted_proxy(app: &TestApp) {
    let settings = trusting();
    for (peer, sent, kept) in [
        (Some("10.0.0.1"), "abc-123_4.5", true),
        (Some("10.0.0.1"), "with space", false),
        (Some("10.0.0.1"), "a\"b", false),
        (Some("10.0.0.1"), "", false),
        (Some("10.0.0.1"), &*"x".repeat(65), false),
        (Some("192.0.2.1"), "abc", false),
        (Some("127.0.0.1"), "abc", false),
        (None, "abc", false),
    ] {
        let reply = ask(app, &settings, peer, &[("x-request-id", sent)], "{ __typename }").await;
        let id = reply.headers["x-request-id"].to_str().expect("text");
        assert_eq!(id == sent, kept, "{sent} by {peer:?}");
        assert!(kept || uuid::Uuid::parse_str(id).is_ok(), "{id}");
    }
}

async fn a_request_through_an_untrusted_proxy_on_this_machine_is_a_strangers(app: &TestApp) {
    let settings = HttpSettings::default();
    let login = r#"mutation { login(input: {username: "vera", password: "a good password"}) { expiresAt } }"#;
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        for header in TRACES {
            let reply = ask(app, &settings, Some(peer), &[header], login).await;
            assert_eq!((reply.status, reply.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{header:?} by {peer}");
            assert!(reply.message().contains("GUARDIANEYE_TRUSTED_PROXIES"), "{}", reply.message());
            ask(app, &settings, Some(peer), &[header], "{ __typename }").await.data();
        }
        // A development server that runs beside the browser says so.
        for header in [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-for", "::ffff:127.0.0.1"),
            ("forwarded", "for=\"[::1]:4711\""),
        ] {
            let with_host = [header, ("x-forwarded-host", "localhost:5173"), ("x-forwarded-proto", "http")];
            ask(app, &settings, Some(peer), &with_host, login).await.data();
        }
        ask(app, &settings, Some(peer), &[], login).await.data();
    }
}

async fn default_passwords_do_not_hold_through_an_untrusted_proxy(app: &TestApp) {
    let settings = HttpSettings { allow_plain_http: true, ..HttpSettings::default() };
    let now = app.now();
    let admin = User {
        id: UserId::new(now),
        username: "admin".to_owned(),
        email: "admin@guardianeye.local".to_owned(),
        role: Role::Admin,
        is_active: true,
        full_name: None,
        created_at: now,
        updated_at: now,
        last_login: None,
    };
    app.insert_user(admin, "admin").await;
    let login = |name: &str, password: &str| {
        format!("mutation {{ login(input: {{username: \"{name}\", password: \"{password}\"}}) {{ expiresAt }} }}")
    };
    for name in ["admin", "admin@guardianeye.local"] {
        for header in TRACES {
            let default = ask(app, &settings, Some("127.0.0.1"), &[header], &login(name, "admin")).await;
            let wrong = ask(app, &settings, Some("127.0.0.1"), &[header], &login(name, "wrong")).await;
            assert_eq!((default.code(), default.message()), (wrong.code(), wrong.message()), "{name} {header:?}");
            assert_eq!(default.code(), "UNAUTHENTICATED");
            let entries = "{ auditLogs(first: 5) { nodes { action success ipAddress } } }";
            let entries = app.admin().gql(entries, json!({})).await.data()["auditLogs"]["nodes"].clone();
            let refused = json!({ "action": "FAILED_LOGIN", "success": false, "ipAddress": "127.0.0.1" });
            assert_eq!(entries, json!([refused, refused]), "not the address that anybody may have written");
            app.execute("delete from audit_logs").await;
            app.execute("delete from login_throttles").await;
        }
        ask(app, &settings, Some("127.0.0.1"), &[], &login(name, "admin")).await.data();
        app.execute("delete from audit_logs").await;
    }
    ask(app, &settings, Some("127.0.0.1"), &[TRACES[0]], &login("vera", "a good password")).await.data();
}

async fn an_untrusted_proxy_is_warned_of_once(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let server = Server::start(&database.url, &["--migrate"], &[]);
    for _ in 0..3 {
        let answer =
            server.post_with("localhost", "X-Forwarded-For: 198.51.100.1\r\n", r#"{"query":"{ __typename }"}"#);
        assert!(answer.contains("200 OK"), "{answer}");
    }
    let log = server.stop_and_read();
    assert_eq!(log.matches("a proxy on this machine is not listed in GUARDIANEYE_TRUSTED_PROXIES").count(), 1, "{log}");
    database.remove().await;
}

fn trusting() -> HttpSettings {
    HttpSettings { trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")], ..HttpSettings::default() }
}

async fn ask(
    app: &TestApp,
    settings: &HttpSettings,
    peer: Option<&str>,
    headers: &[(&'static str, &str)],
    query: &str,
) -> Reply {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = json!({ "query": query }).to_string();
    let mut request = request.body(Body::from(body)).expect("a request");
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().expect("an address"), 4711)));
    }
    let services = Arc::new(app.services.clone());
    Reply::of(App { api: GraphqlApi::default(), services, http: Arc::new(settings.clone()) }.router(), request).await
}
