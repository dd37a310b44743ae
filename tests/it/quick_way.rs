//! Lists that are written at once give the same text as those that are resolved field by field: to the letter, for
//! everybody, whatever is nested in them. A directive anywhere in a document sends all of it the ordinary way.

use axum::{body::Body, http::Request};
use guardianeye::{
    db::audit_logs,
    model::{AuditAction, AuditLog, AuditLogId, RawJson, Role, Scope, User},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Caller, TestApp, naive, on_both};

/// What JSON, JavaScript and terminals have their own minds about.
const NASTY: &str = "\u{1}\u{1f}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\"\\/\r\n\t</script>é🛡\u{10ffff}";

/// Where a document has a `%`, it gets a directive that changes nothing.
const DOCUMENTS: &[&str] = &[
    "{ users(first: 30) { nodes { id username sessions(first: 4) { nodes { id title context threadId } } } } me { id % } }",
    "{ users(first: 30) { nodes { __typename email lastLogin role fullName
        auditLogs(first: 5) { nodes { __typename id action details description ipAddress userAgent success timestamp } } } } me { id % } }",
    "{ users(first: 30) { __typename edges { __typename cursor node { id a: auditLogs(first: 3) { edges { cursor node { action user { username email } } } }
        s: sessions(last: 3) { edges { c: cursor node { title user { __typename id lastLogin } } cursor } __typename } } } } me { id % } }",
    "{ users(first: 30) { n: nodes { id } nodes { sessions(first: 2) { nodes { title } } } edges { node { sessions(first: 2) { nodes { threadId } } } }
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } me { id % } }",
    "query($first: Int, $is: Boolean, $order: SessionOrder) { users(first: 30) { nodes { id
        sessions(first: $first, filter: { isActive: $is, title: { isNull: false } }, orderBy: $order) { nodes { isActive updatedAt id title } }
        b: sessions(first: $first, orderBy: { field: CREATED_AT, direction: ASC }) { edges { cursor } }
        c: sessions(first: $first, orderBy: { field: CREATED_AT, direction: ASC }) { edges { cursor node { context } } } } } me { id % } }",
    "query($is: Boolean, $title: String) { users(first: 30, orderBy: { field: USERNAME, direction: ASC }) { nodes { username
        sessions(filter: { or: [{ title: { eq: $title } }, { isActive: $is }] }) { nodes { title } nodes2: nodes { id } }
        auditLogs(filter: { success: $is, details: { isNull: false } }) { nodes { details } } } } me { id % } }",
    "{ users(first: 30) { ...Page } me { id % } }
     fragment Page on UserConnection { nodes { ...Row ... on User { auditLogs(first: 2) { ...Logs } } ... { role } } }
     fragment Row on User { id sessions(first: 2) { nodes { ...Session } } } fragment Session on Session { title user { ...Owner } }
     fragment Owner on User { username __typename } fragment Logs on AuditLogConnection { edges { ...Edge } }
     fragment Edge on AuditLogEdge { cursor node { action t: timestamp } }",
    "{ users(first: 30) { nodes { ...N sessions(first: 1) { nodes { ...N ... on Node { __typename } title } } } } me { id % } } fragment N on Node { id }",
    "{ sessions(first: 100) { nodes { title user { id fullName isActive createdAt updatedAt email } } edges { node { threadId } } } me { id % } }",
    "{ auditLogs(first: 100) { nodes { username user { username lastLogin } details } edges { cursor node { userAgent user { id } } } } me { id % } }",
    "{ auditLogs(first: 100) { nodes { description } edges { node { username ipAddress } } } me { id % } }",
    "{ users(first: 30) { nodes { sessions(first: 2) { nodes { user { sessions(first: 1) { nodes { title user { username } } } } } } } } me { id % } }",
    "{ users(first: 30) { nodes { id sessions(first: 0) { nodes { id } } } } me { id % } }",
    "{ users(first: 30) { nodes { id sessions(after: \"bad\") { nodes { title context } } auditLogs(first: 1) { nodes { details } } } } me { id % } }",
    "{ users(first: 30) { nodes { id authSessions { nodes { id isCurrent createdAt user { id } } } apiTokens { nodes { name scopes user { email } } } } } me { id % } }",
    "{ me { id username email sessions { __typename nodes { id title context user { email lastLogin username } } } auditLogs { edges { cursor node { action details user { role } } } } id % } }",
    "{ me { sessions(last: 2) { nodes { title } pageInfo { hasNextPage hasPreviousPage } } id % a: sessions(first: 1) { nodes { threadId createdAt endedAt } }
        authSessions { nodes { id expiresAt ipAddress revokedAt } } apiTokens { edges { node { name scopes lastUsedAt } } } } }",
    "{ sessions { nodes { context title } } users { nodes { id % } } broken: sessions(first: 1000) { nodes { id } } me { sessions { nodes { context title } } } }",
];

on_both!(
    both_ways_give_the_same_text_to_everybody,
    what_a_list_leaves_out_is_nothing_that_was_asked_for,
    a_login_shows_its_users_lists
);

async fn both_ways_give_the_same_text_to_everybody(app: &TestApp) {
    naive::fill(app).await;
    for (user, name) in [(app.viewer().id(), "vera"), (app.admin().id(), "adam")] {
        let session = app.session(user, &format!("{name} {NASTY}"), app.now()).await;
        app.session(user, "plain", session.created_at.plus_seconds(1)).await;
        app.audit_log(Some(user), app.now()).await;
    }
    app.api_token(app.viewer().id(), &[Scope::Read]).await;
    what_the_deleted_left(app).await;
    for (who, caller) in [("admin", app.admin()), ("analyst", app.analyst()), ("viewer", app.viewer())] {
        for document in DOCUMENTS {
            for variables in [
                json!({}),
                json!({ "first": 3, "is": true, "title": "a", "order": { "field": "UPDATED_AT", "direction": "ASC" } }),
            ] {
                let ask =
                    async |directive: &str| text(app, &caller, &document.replace('%', directive), &variables).await;
                let quick = ask("").await;
                assert_eq!(
                    without_places(&quick),
                    without_places(&ask("@include(if: true)").await),
                    "{who}: {document} {variables}"
                );
                let answer: Value = serde_json::from_str(&quick).expect("JSON");
                assert!(!quick.contains("RawValue") && answer["data"].is_object(), "{quick}");
            }
        }
    }
    let quick = text(app, &app.viewer(), "{ me { sessions { nodes { title } } } }", &json!({})).await;
    let answer: Value = serde_json::from_str(&quick).expect("JSON");
    assert_eq!(answer["data"]["me"]["sessions"]["nodes"][1]["title"], format!("vera {NASTY}"));
}

/// Columns that nothing asks for are not read: each field says the same in a list as of the row alone.
async fn what_a_list_leaves_out_is_nothing_that_was_asked_for(app: &TestApp) {
    naive::fill(app).await;
    for (list, of, fields) in [
        ("sessions", "Session", &["threadId", "context", "title", "endedAt"][..]),
        ("auditLogs", "AuditLog", &["username", "details", "description", "ipAddress", "userAgent"]),
    ] {
        for field in fields {
            let ask = async |query: String| {
                let answer = text(app, &app.admin(), &query, &json!({})).await;
                serde_json::from_str::<Value>(&answer).expect("JSON")["data"].take()
            };
            let nodes = ask(format!("{{ {list}(first: 50) {{ nodes {{ id {field} }} }} }}")).await;
            let nodes = nodes[list]["nodes"].as_array().expect("nodes");
            let edges = ask(format!("{{ {list}(first: 50) {{ edges {{ node {{ id {field} }} }} }} }}")).await;
            let edges = edges[list]["edges"].as_array().expect("edges");
            let ids = json!(nodes.iter().map(|node| &node["id"]).collect::<Vec<_>>());
            let alone = ask(format!("{{ nodes(ids: {ids}) {{ id ... on {of} {{ {field} }} }} }}")).await;
            assert!(nodes.iter().any(|node| !node[field].is_null()), "{list} {field}");
            assert_eq!(&json!(nodes), &alone["nodes"], "{list} {field}");
            assert_eq!(
                json!(nodes),
                json!(edges.iter().map(|edge| &edge["node"]).collect::<Vec<_>>()),
                "{list} {field}"
            );
        }
    }
}

/// Who logs in reads as that user from there on, also what is written at once.
async fn a_login_shows_its_users_lists(app: &TestApp) {
    for user in [app.viewer().id(), app.admin().id()] {
        app.session(user, "mine", app.now()).await;
    }
    for name in ["vera", "adam"] {
        let document = format!(
            r#"mutation {{ login(input: {{username: "{name}", password: "a good password"}}) {{ user {{
                sessions {{ nodes {{ title user {{ email }} }} edges {{ node {{ id }} }} }} auditLogs {{ nodes {{ action user {{ lastLogin }} }} }} % }} }} }}"#
        );
        let mut texts = Vec::new();
        for directive in ["", "a: id @include(if: true)"] {
            let answer = text(app, &app.anonymous(), &document.replace('%', directive), &json!({})).await;
            let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
            assert!(answer.get("errors").is_none(), "{answer}");
            let user = answer["data"]["login"]["user"].as_object_mut().expect("a user");
            user.remove("a");
            assert_eq!(user["sessions"]["nodes"].as_array().map(Vec::len), Some(1));
            let logs = user.remove("auditLogs").expect("entries");
            assert_eq!(logs["nodes"][0]["action"], "LOGIN");
            texts.push(answer.to_string());
        }
        assert_eq!(texts[0], texts[1]);
    }
}

/// Entries of a user who is gone, with the name and without.
async fn what_the_deleted_left(app: &TestApp) {
    let gone: User = app.user("gone", Role::Viewer, app.now()).await;
    app.session(gone.id, "gone too", app.now()).await;
    let mut tx = app.db().begin().await.expect("a transaction");
    for username in [Some("gone".to_owned()), None] {
        let entry = AuditLog {
            id: AuditLogId::new(app.now()),
            user_id: Some(gone.id),
            username,
            action: AuditAction::Login,
            details: Some(RawJson(" { \"a\" :  [1.0, \"\\u2028\"] } ".to_owned())),
            description: Some(NASTY.to_owned()),
            ip_address: None,
            user_agent: Some(NASTY.to_owned()),
            success: true,
            timestamp: app.now().plus_seconds(100),
        };
        assert!(audit_logs::insert(&mut tx, &entry).await.expect("inserts"));
    }
    tx.commit().await.expect("commits");
    app.execute(&format!("delete from users where id = '{}'", gone.id)).await;
}

/// The answer as it goes over the wire.
async fn text(app: &TestApp, caller: &Caller<'_>, document: &str, variables: &Value) -> String {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    if let Some(token) = caller.maybe_token() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body)).expect("a request");
    let response = app.router.clone().oneshot(request).await.expect("the router answers");
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// A directive moves what stands after it on its line, and an error says where it stands.
fn without_places(text: &str) -> String {
    let mut parts = text.split("\"locations\":[");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once(']').map_or(part, |(_, rest)| rest));
    }
    kept
}
