//! Automatic persisted queries (Apollo's protocol).

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Caller, Reply, TestApp, on_both};

const QUERY: &str = "{ me { username } }";

on_both!(
    a_document_is_sent_once_and_then_found_by_its_hash,
    a_persisted_query_is_checked_against_the_limits_with_its_variables,
    invalid_documents_are_not_stored_and_mutations_require_post,
    a_hash_that_does_not_match_the_document_is_rejected
);

async fn a_document_is_sent_once_and_then_found_by_its_hash(app: &TestApp) {
    let hash = hash(QUERY);
    let unknown = post(&app.viewer(), json!({ "extensions": extensions(&hash) })).await;
    assert_eq!(
        (unknown.status, unknown.code(), unknown.message()),
        (StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    );
    assert!(unknown.body.get("data").is_none());
    let sent = post(&app.viewer(), json!({ "query": QUERY, "extensions": extensions(&hash) })).await;
    assert_eq!(sent.data()["me"]["username"], "vera");
    // By anybody, in either way.
    assert_eq!(
        post(&app.admin(), json!({ "query": null, "extensions": extensions(&hash) })).await.data()["me"]["username"],
        "adam"
    );
    let url = format!(
        "/graphql?extensions={}",
        extensions(&hash.to_uppercase()).to_string().replace('"', "%22").replace('{', "%7B").replace('}', "%7D")
    );
    let reply = app.analyst().send(Request::get(url).body(Body::empty()).expect("a request")).await;
    assert_eq!(reply.data()["me"]["username"], "anna");
    assert_eq!(post(&app.anonymous(), json!({ "extensions": extensions(&hash) })).await.code(), "UNAUTHENTICATED");
}

async fn a_persisted_query_is_checked_against_the_limits_with_its_variables(app: &TestApp) {
    let query = "query($first: Int!) { users(first: $first) { nodes { sessions(first: 100) { nodes { user { auditLogs(first: 100) { nodes { id } } } } } } } }";
    let hash = hash(query);
    let ask = async |first: u32| {
        post(&app.admin(), json!({ "query": query, "variables": { "first": first }, "extensions": extensions(&hash) }))
            .await
    };
    let again = async |first: u32| {
        post(&app.admin(), json!({ "variables": { "first": first }, "extensions": extensions(&hash) })).await
    };
    assert_eq!(ask(100).await.codes(), ["QUERY_TOO_COMPLEX"]);
    assert_eq!(again(1).await.code(), "PERSISTED_QUERY_NOT_FOUND", "what was refused is not kept");
    ask(1).await.data();
    again(2).await.data();
    assert_eq!(again(100).await.codes(), ["QUERY_TOO_COMPLEX"]);
}

async fn invalid_documents_are_not_stored_and_mutations_require_post(app: &TestApp) {
    let broken = "{ me {";
    assert_eq!(
        post(&app.viewer(), json!({ "query": broken, "extensions": extensions(&hash(broken)) })).await.code(),
        "GRAPHQL_PARSE_FAILED"
    );
    assert_eq!(
        post(&app.viewer(), json!({ "extensions": extensions(&hash(broken)) })).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let mutation = "mutation { login(input: {username: \"vera\", password: \"no\"}) { expiresAt } }";
    let hash = hash(mutation);
    post(&app.anonymous(), json!({ "query": mutation, "extensions": extensions(&hash) })).await;
    let url =
        format!("/graphql?extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{hash}%22%7D%7D");
    let reply = app.anonymous().send(Request::get(url).body(Body::empty()).expect("a request")).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"));
}

async fn a_hash_that_does_not_match_the_document_is_rejected(app: &TestApp) {
    for persisted in [
        json!({ "version": 1, "sha256Hash": hash("{ me { id } }") }),
        json!({ "version": 1, "sha256Hash": "abc" }),
        json!({ "version": 1, "sha256Hash": 1 }),
        json!({ "version": 1 }),
        json!({ "version": 2, "sha256Hash": hash(QUERY) }),
        json!({ "sha256Hash": hash(QUERY) }),
        json!("x"),
    ] {
        let reply = post(&app.viewer(), json!({ "query": QUERY, "extensions": { "persistedQuery": persisted } })).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"), "{persisted}");
        assert_eq!(reply.body["errors"][0]["extensions"]["field"], "extensions");
    }
    assert_eq!(
        post(&app.viewer(), json!({ "query": QUERY, "extensions": { "persistedQuery": null } })).await.data()["me"]["username"],
        "vera"
    );
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn extensions(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn post(caller: &Caller<'_>, body: Value) -> Reply {
    let request = Request::post("/graphql").header("content-type", "application/json");
    caller.send(request.body(Body::from(body.to_string())).expect("a request")).await
}
