//! The page at `/` and its files: the embedded console where `web/` was built before this binary, else GraphiQL's page.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use guardianeye::http::console_is_embedded;

use crate::support::{Reply, TestApp, on_both};

on_both!(
    the_root_is_a_page_that_loads_only_what_it_may,
    the_page_is_sent_again_only_when_it_changed,
    assets_are_kept_for_ever_and_come_compressed_to_who_takes_it,
    what_is_no_asset_is_not_found
);

async fn the_root_is_a_page_that_loads_only_what_it_may(app: &TestApp) {
    let reply = ask(app, Method::GET, "/", &[]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.headers["content-type"].to_str().expect("text").starts_with("text/html"));
    assert!(html(&reply).contains("/graphql"));
    let policy = reply.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    if console_is_embedded() {
        assert!(policy.contains("default-src 'none'; script-src 'self';") && !policy.contains("http"), "{policy}");
        assert_eq!(reply.headers["cache-control"], "no-cache");
        assert!(
            !html(&reply).contains("//") && !html(&reply).contains("<script>"),
            "nothing from elsewhere, nothing inline"
        );
    }
}

async fn the_page_is_sent_again_only_when_it_changed(app: &TestApp) {
    if !console_is_embedded() {
        return;
    }
    let first = ask(app, Method::GET, "/", &[]).await;
    let etag = first.headers["etag"].to_str().expect("text");
    for known in [etag, "*", &format!("\"other\", {etag}")] {
        let again = ask(app, Method::GET, "/", &[("if-none-match", known)]).await;
        assert_eq!((again.status, html(&again)), (StatusCode::NOT_MODIFIED, ""), "{known}");
        assert_eq!(again.headers["etag"], etag);
    }
    let changed = ask(app, Method::GET, "/", &[("if-none-match", "\"other\"")]).await;
    assert_eq!(changed.status, StatusCode::OK);
}

async fn assets_are_kept_for_ever_and_come_compressed_to_who_takes_it(app: &TestApp) {
    if !console_is_embedded() {
        return;
    }
    let page = ask(app, Method::GET, "/", &[]).await;
    let script = html(&page)
        .split('"')
        .find(|part| part.starts_with("/assets/index-") && part.contains(".js"))
        .expect("a script");
    let plain = ask(app, Method::GET, script, &[]).await;
    assert_eq!(plain.status, StatusCode::OK);
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("vary", "accept-encoding"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(plain.headers[name], value);
    }
    assert!(!plain.headers.contains_key("content-encoding"));
    for (accepted, encoding) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip")] {
        let reply = ask(app, Method::GET, script, &[("accept-encoding", accepted)]).await;
        assert_eq!(
            (reply.status, &reply.headers["content-encoding"]),
            (StatusCode::OK, &encoding.parse().expect("a header"))
        );
        assert!(html(&reply).len() < html(&plain).len(), "{accepted}");
    }
    let head = ask(app, Method::HEAD, script, &[]).await;
    assert_eq!((head.status, html(&head)), (StatusCode::OK, ""));
    assert_eq!(head.headers["content-length"], html(&plain).len().to_string().as_str());
}

async fn what_is_no_asset_is_not_found(app: &TestApp) {
    for path in [
        "/assets/unknown.js",
        "/assets/",
        "/assets",
        "/assets/..%2findex.html",
        "/assets/..%2f..%2fCargo.toml",
        "/index.html",
        "/index.html.br",
        "/favicon.svg.gz",
    ] {
        let reply = ask(app, Method::GET, path, &[]).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::NOT_FOUND, "NOT_FOUND"), "{path}");
    }
    let posted = ask(app, Method::POST, "/assets/unknown.js", &[]).await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
}

async fn ask(app: &TestApp, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.anonymous().send(request.body(Body::empty()).expect("a request")).await
}

fn html(reply: &Reply) -> &str {
    reply.body.as_str().unwrap_or_default()
}
