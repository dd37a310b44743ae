//! Each validation error is reported once, however often validation meets it.

use std::collections::HashSet;

use guardianeye::config::Introspection;
use serde_json::json;

use crate::support::{Reply, TestApp, on_both};

/// Documents with a mistake that validation meets more than once, and how many mistakes there are.
const DOCUMENTS: [(&str, usize); 7] = [
    ("{ me { ...F } c: me { ...F } } fragment F on User { a: id a: username }", 1),
    ("{ me { ...F ...G } b: me { ...F ...G } } fragment F on User { a: id } fragment G on User { a: username }", 1),
    ("query($a: Nope) { me { ...F } c: me { ...F } } fragment F on User { sessions(first: $a) { nodes { id } } }", 1),
    (
        "query A($n: String) { ...F } query B($n: String) { ...F } fragment F on Query { users(first: $n) { nodes { id } } }",
        1,
    ),
    ("subscription { x }", 1),
    ("{ a: me { ...F } b: me { ...F } } fragment F on User { nope neither }", 2),
    ("{ me { a: id a: username a: role } }", 2),
];

on_both!(
    an_error_in_a_fragment_is_reported_once,
    a_redacted_error_is_reported_once,
    an_invalid_variable_is_reported_once
);

async fn an_error_in_a_fragment_is_reported_once(app: &TestApp) {
    for (document, mistakes) in DOCUMENTS {
        let body = json!({ "query": document, "operationName": document.starts_with("query A").then_some("A") });
        let request = axum::http::Request::post("/graphql").header("content-type", "application/json");
        let reply = app.viewer().send(request.body(body.to_string().into()).expect("a request")).await;
        assert_reported_once(&reply, document);
        assert_eq!(reply.codes().len(), mistakes, "{:#}", reply.body);
    }
}

async fn a_redacted_error_is_reported_once(app: &TestApp) {
    let router = app.within(|limits| limits.document.introspection = Introspection::Off).await;
    for (document, _) in DOCUMENTS {
        let reply = app.viewer().at(&router).gql(document, json!({})).await;
        if reply.codes() == ["BAD_USER_INPUT"] {
            continue;
        }
        assert_reported_once(&reply, document);
    }
}

async fn an_invalid_variable_is_reported_once(app: &TestApp) {
    let document =
        "query($first: Int!) { a: users(first: $first) { nodes { id } } b: users(first: $first) { nodes { id } } }";
    for value in [json!("x"), json!(null), json!([1])] {
        let reply = app.analyst().gql(document, json!({ "first": value })).await;
        assert_eq!(reply.codes().len(), 1, "{:#}", reply.body);
    }
}

fn assert_reported_once(reply: &Reply, document: &str) {
    let errors = reply.body["errors"].as_array().expect("errors");
    assert!(!errors.is_empty(), "{document}");
    let different: HashSet<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(different.len(), errors.len(), "{document}: {errors:#?}");
}
