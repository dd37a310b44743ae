//! Around the API: which headers every answer has, who may ask from a browser, what is compressed, who is believed.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, StatusCode},
};
use guardianeye::{
    config::{HttpSettings, ProxyHeader},
    graphql::GraphqlApi,
    http::App,
};
use serde_json::json;

use crate::support::{Reply, TestApp, on_both};

const PAGE: &str = "https://console.example.com";

on_both!(
    every_answer_tells_browsers_to_be_careful,
    unknown_paths_and_wrong_methods_are_answered_in_graphql_errors,
    only_listed_pages_may_ask_from_a_browser,
    large_answers_are_compressed_for_who_asks,
    the_audit_log_names_the_client_and_not_who_it_claims_to_be,
    tls_in_front_is_remembered_when_a_trusted_proxy_says_so,
    passwords_and_tokens_do_not_come_over_plain_http_from_other_machines
);

async fn every_answer_tells_browsers_to_be_careful(app: &TestApp) {
    for (path, status) in [
        ("/graphql?query=%7B__typename%7D", StatusCode::OK),
        ("/graphql", StatusCode::BAD_REQUEST),
        ("/health/live", StatusCode::OK),
        ("/health/ready", StatusCode::OK),
        ("/nowhere", StatusCode::NOT_FOUND),
    ] {
        let reply = get(app, path).await;
        assert_eq!(reply.status, status, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.headers[name], value, "{path}");
        }
        assert!(reply.headers.contains_key("permissions-policy"), "{path}");
        assert!(!reply.headers.contains_key("strict-transport-security"), "{path}: nobody said that TLS is in front");
    }
}

async fn unknown_paths_and_wrong_methods_are_answered_in_graphql_errors(app: &TestApp) {
    for (method, path, status, code) in [
        (Method::GET, "/nowhere", StatusCode::NOT_FOUND, "NOT_FOUND"),
        (Method::POST, "/graphql/", StatusCode::NOT_FOUND, "NOT_FOUND"),
        (Method::PUT, "/graphql", StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"),
        (Method::DELETE, "/graphql", StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"),
        (Method::OPTIONS, "/graphql", StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"),
        (Method::TRACE, "/graphql", StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"),
        (Method::POST, "/", StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"),
        (Method::POST, "/health/live", StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"),
    ] {
        let request = Request::builder().method(&method).uri(path).body(Body::empty()).expect("a request");
        let reply = app.anonymous().send(request).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{method} {path}");
        assert_eq!(reply.headers["content-type"], "application/json; charset=utf-8");
        assert!(reply.headers.contains_key("x-request-id"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = if path == "/graphql" { "GET,HEAD,POST" } else { "GET,HEAD" };
            let mut words: Vec<_> = reply.headers["allow"].to_str().expect("text").split(',').collect();
            words.sort_unstable();
            assert_eq!(words.join(","), allowed, "{method} {path}");
        }
    }
}

async fn only_listed_pages_may_ask_from_a_browser(app: &TestApp) {
    let cors_headers = vec!["x-tenant".to_owned()];
    let settings = HttpSettings { cors_origins: vec![PAGE.to_owned()], cors_headers, ..HttpSettings::default() };
    let preflight = async |origin: &str| {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri("/graphql")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,authorization,x-receipt,x-request-id");
        send(app, &settings, request.body(Body::empty()).expect("a request")).await
    };
    let allowed = preflight(PAGE).await;
    assert_eq!(allowed.status, StatusCode::OK);
    assert_eq!(allowed.headers["access-control-allow-origin"], PAGE);
    let headers = allowed.headers["access-control-allow-headers"].to_str().expect("text");
    let mut headers: Vec<_> = headers.split(',').collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            "apollo-require-preflight",
            "authorization",
            "baggage",
            "content-type",
            "idempotency-key",
            "last-event-id",
            "traceparent",
            "tracestate",
            "x-receipt",
            "x-request-id",
            "x-tenant",
        ]
    );
    assert_eq!(allowed.headers["access-control-allow-methods"], "GET,POST");
    for other in
        ["https://evil.example", "null", "https://console.example.com.evil.example", "http://console.example.com"]
    {
        assert!(!preflight(other).await.headers.contains_key("access-control-allow-origin"), "{other}");
    }
    let reply = send(app, &settings, typename().header("origin", PAGE).body(Body::empty()).expect("a request")).await;
    assert_eq!(reply.headers["access-control-allow-origin"], PAGE);
    assert_eq!(reply.headers["access-control-expose-headers"], "x-request-id,idempotency-replayed,retry-after");
    assert!(!reply.headers.contains_key("access-control-allow-credentials"));
    assert!(vary(&reply).contains("origin"), "{:?}", reply.headers);
    let without =
        send(app, &HttpSettings::default(), typename().header("origin", PAGE).body(Body::empty()).expect("a request"))
            .await;
    assert!(without.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{:?}", without.headers);
}

async fn large_answers_are_compressed_for_who_asks(app: &TestApp) {
    for n in 0..20 {
        app.user(&format!("user{n:02}"), guardianeye::model::Role::Viewer, app.now()).await;
    }
    let large = "/graphql?query=%7Busers(first%3A20)%7Bnodes%7Bid%20username%20createdAt%7D%7D%7D";
    for (encodings, path, encoding) in [
        (None, large, None),
        (Some("identity"), large, None),
        (Some("br"), large, None),
        (Some("gzip;q=0"), large, None),
        (Some("gzip"), large, Some("gzip")),
        (Some("gzip, deflate, br, zstd"), large, Some("zstd")),
        (Some("gzip, zstd;q=0.5"), large, Some("gzip")),
        (Some("gzip, zstd"), "/health/live", None),
    ] {
        let mut request = Request::get(path);
        if let Some(encodings) = encodings {
            request = request.header("accept-encoding", encodings);
        }
        let reply = app.admin().send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(reply.status, StatusCode::OK, "{encodings:?}");
        let told = reply.headers.get("content-encoding").map(|value| value.to_str().expect("text"));
        assert_eq!(told, encoding, "{encodings:?} of {path}");
        assert_eq!(reply.body["data"]["users"].is_object(), path == large && encoding.is_none(), "{encodings:?}");
        if path == large {
            assert!(
                vary(&reply).contains("accept-encoding") && vary(&reply).contains("accept,"),
                "{:?}",
                reply.headers
            );
        }
    }
}

async fn the_audit_log_names_the_client_and_not_who_it_claims_to_be(app: &TestApp) {
    let plain = HttpSettings { allow_plain_http: true, ..HttpSettings::default() };
    let believing = HttpSettings {
        trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")],
        proxy_header: ProxyHeader::XForwardedFor,
        ..plain.clone()
    };
    for (settings, peer, forwarded_for, client) in [
        (&plain, "10.0.0.1", "198.51.100.1", "10.0.0.1"),
        (&believing, "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (&believing, "10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        (&believing, "::ffff:10.0.0.1", "198.51.100.1, 10.1.1.1", "198.51.100.1"),
        (&believing, "::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"),
    ] {
        let login =
            r#"{"query": "mutation { login(input: {username: \"vera\", password: \"wrong\"}) { expiresAt } }"}"#;
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("x-forwarded-for", forwarded_for)
            .header("forwarded", "for=192.0.2.77")
            .header("user-agent", "a\tb")
            .extension(ConnectInfo(peer))
            .body(Body::from(login))
            .expect("a request");
        assert_eq!(send(app, settings, request).await.code(), "UNAUTHENTICATED");
        let reply = app.admin().gql("{ auditLogs(first: 1) { nodes { ipAddress userAgent } } }", json!({})).await;
        let entry = &reply.data()["auditLogs"]["nodes"][0];
        assert_eq!(entry, &json!({ "ipAddress": client, "userAgent": "a\u{fffd}b" }), "{forwarded_for} by {peer}");
        app.execute("delete from audit_logs").await;
    }
}

async fn tls_in_front_is_remembered_when_a_trusted_proxy_says_so(app: &TestApp) {
    let settings =
        HttpSettings { trusted_proxies: vec!["10.0.0.1/32".parse().expect("a network")], ..HttpSettings::default() };
    for (peer, protocol, remembered) in
        [("10.0.0.1", "https", true), ("10.0.0.1", "http", false), ("10.0.0.2", "https", false)]
    {
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        let request = typename().header("x-forwarded-for", "198.51.100.1").header("x-forwarded-proto", protocol);
        let reply =
            send(app, &settings, request.extension(ConnectInfo(peer)).body(Body::empty()).expect("a request")).await;
        assert_eq!(reply.headers.contains_key("strict-transport-security"), remembered, "{peer} {protocol}");
    }
}

async fn passwords_and_tokens_do_not_come_over_plain_http_from_other_machines(app: &TestApp) {
    let strict =
        HttpSettings { trusted_proxies: vec!["10.0.0.1/32".parse().expect("a network")], ..HttpSettings::default() };
    let open = HttpSettings { allow_plain_http: true, ..strict.clone() };
    let ask = async |settings: &HttpSettings, peer: &str, protocol: &str, token: Option<&str>, query: &str| {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if !protocol.is_empty() {
            request = request.header("x-forwarded-for", "198.51.100.1").header("x-forwarded-proto", protocol);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        let body = json!({ "query": query }).to_string();
        send(app, settings, request.extension(ConnectInfo(peer)).body(Body::from(body)).expect("a request")).await
    };
    let login = r#"login(input: {username: "vera", password: "a good password"}) { expiresAt }"#;
    let (_, script) = app.api_token(app.viewer().id(), &[guardianeye::model::Scope::Read]).await;
    let vera = app.viewer();
    let secrets = [
        (None, format!("mutation {{ {login} }}")),
        (
            None,
            format!(
                "mutation {{ ... {{ a: {login} }} createApiToken(input: {{name: \"x\", scopes: [READ]}}) {{ token }} }}"
            ),
        ),
        (None, "mutation { refreshToken(input: {refreshToken: \"x\"}) { expiresAt } }".to_owned()),
        (Some(vera.token()), "{ me { id } }".to_owned()),
        (Some(script.token()), "{ me { id } }".to_owned()),
        (Some("not even a token"), "{ me { id } }".to_owned()),
    ];
    for (settings, peer, protocol, taken) in [
        (&strict, "127.0.0.1", "", true),
        (&strict, "::1", "", true),
        (&strict, "::ffff:127.0.0.1", "", true),
        (&strict, "192.0.2.1", "", false),
        (&strict, "192.0.2.1", "https", false),
        (&strict, "2001:db8::1", "", false),
        (&strict, "10.0.0.1", "https", true),
        (&strict, "10.0.0.1", "http", false),
        (&strict, "10.0.0.1", "", true),
        (&open, "192.0.2.1", "", true),
        (&open, "10.0.0.1", "http", true),
    ] {
        for (token, query) in &secrets {
            let reply = ask(settings, peer, protocol, *token, query).await;
            let refused = reply.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, !taken, "{query} by {peer} {protocol:?}: {:#}", reply.body);
            if refused {
                assert_eq!(reply.code(), "FORBIDDEN");
                assert!(
                    reply.message().starts_with("the server rejects passwords and tokens over plain HTTP"),
                    "{}",
                    reply.message()
                );
                assert!(reply.body.get("data").is_none());
            }
        }
        ask(settings, peer, protocol, None, "{ __typename }").await.data();
    }
    let reply = app.admin().gql("{ auditLogs(filter: {action: {eq: FAILED_LOGIN}}) { totalCount } }", json!({})).await;
    assert_eq!(reply.data()["auditLogs"]["totalCount"], 0, "a password that is not taken is not tried");
}

async fn get(app: &TestApp, path: &str) -> Reply {
    app.anonymous().send(Request::get(path).body(Body::empty()).expect("a request")).await
}

fn typename() -> axum::http::request::Builder {
    Request::get("/graphql?query=%7B__typename%7D")
}

/// To a server with other settings over the same data.
async fn send(app: &TestApp, settings: &HttpSettings, request: Request<Body>) -> Reply {
    let services = Arc::new(app.services.clone());
    let router = App { api: GraphqlApi::default(), services, http: Arc::new(settings.clone()) }.router();
    Reply::of(router, request).await
}

fn vary(reply: &Reply) -> String {
    let lines = reply.headers.get_all("vary").iter().map(|value| value.to_str().expect("text").to_ascii_lowercase());
    lines.map(|line| line + ",").collect()
}
