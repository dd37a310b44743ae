//! The size limit of a response: one error replaces the data.

use guardianeye::model::{AuditAction, AuditLog, AuditLogId, RawJson, Session, SessionId};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, many, on_both};

/// Few rows, and each of them many times in the answer: lists go the fast path.
const NESTED: &str = "{ users(filter: {username: {eq: \"adam\"}}, first: 1) { nodes { sessions(first: 20) { nodes {
    user { a: sessions(first: 20) { nodes { context } } b: sessions(first: 20) { nodes { context } } } } } } } }";

on_both!(
    a_response_that_repeats_large_values_is_rejected,
    the_size_limit_is_the_same_on_the_fast_path_and_in_resolvers,
    reading_rows_stops_at_the_size_limit,
    long_texts_of_audit_log_entries_count,
    response_keys_count,
    a_mutation_with_too_large_a_response_reports_that_it_is_committed
);

async fn a_response_that_repeats_large_values_is_rejected(app: &TestApp) {
    large_sessions(app, 20).await;
    let whole = NESTED.replace("context", "context @include(if: true)");
    for query in [NESTED.to_owned(), NESTED.replace("nodes { context }", "edges { node { context } }"), whole] {
        let reply = app.admin().gql(&query, json!({})).await;
        assert_refused(&reply, 16 * 1024 * 1024);
        // The response counts, not the stored data.
        let few = query.replace("first: 20", "first: 3");
        app.admin().gql(&few, json!({})).await.data();
    }
}

async fn the_size_limit_is_the_same_on_the_fast_path_and_in_resolvers(app: &TestApp) {
    large_sessions(app, 3).await;
    for query in [
        "{ sessions { nodes { context } } }",
        "{ sessions { nodes { context @include(if: true) } } }",
        "{ sessions { edges { node { context title } } } }",
        "{ users { nodes { id sessions { nodes { context } } } } }",
    ] {
        let size = size_of(app, query).await;
        let router = app.within(|limits| limits.response_bytes = size + 1_000).await;
        app.admin().at(&router).gql(query, json!({})).await.data();
        let router = app.within(|limits| limits.response_bytes = size - 500).await;
        assert_refused(&app.admin().at(&router).gql(query, json!({})).await, size - 500);
    }
}

async fn reading_rows_stops_at_the_size_limit(app: &TestApp) {
    large_sessions(app, 20).await;
    let router = app.within(|limits| limits.response_bytes = 200_000).await;
    let id = app.admin().id();
    for query in [
        "{ sessions { nodes { context } } }".to_owned(),
        "{ users { nodes { sessions { nodes { context } } } } }".to_owned(),
        format!("{{ user(id: \"{id}\") {{ sessions {{ nodes {{ context }} }} }} }}"),
    ] {
        let reply = app.admin().at(&router).gql(&query, json!({})).await;
        assert_refused(&reply, 200_000);
    }
    // Large columns that are not asked for are not read.
    app.admin().at(&router).gql("{ sessions { nodes { id title } } }", json!({})).await.data();
}

async fn long_texts_of_audit_log_entries_count(app: &TestApp) {
    let mut tx = app.db().begin().await.expect("a transaction");
    for n in 0..20 {
        let entry = AuditLog {
            id: AuditLogId::new(app.now()),
            user_id: Some(app.admin().id()),
            username: None,
            action: AuditAction::QueryAgent,
            details: Some(RawJson(json!({ "text": "d".repeat(4_000) }).to_string())),
            description: Some("e".repeat(4_000)),
            ip_address: None,
            user_agent: Some("u".repeat(500)),
            success: true,
            timestamp: app.now().plus_seconds(n),
        };
        assert!(guardianeye::db::audit_logs::insert(&mut tx, &entry).await.expect("inserts"));
    }
    tx.commit().await.expect("commits");
    let router = app.within(|limits| limits.response_bytes = 180_000).await;
    for fields in ["details description", "details @include(if: true) description userAgent"] {
        let twice = format!("{{ a: auditLogs {{ nodes {{ {fields} }} }} b: auditLogs {{ nodes {{ {fields} }} }} }}");
        assert_refused(&app.admin().at(&router).gql(&twice, json!({})).await, 180_000);
        let once = format!("{{ auditLogs(first: 5) {{ nodes {{ {fields} }} }} }}");
        app.admin().at(&router).gql(&once, json!({})).await.data();
    }
}

async fn response_keys_count(app: &TestApp) {
    let router = app.within(|limits| limits.response_bytes = 65_536).await;
    let name = |n| format!("{}{n}: username ", "a".repeat(250));
    let query = format!("{{ users(first: 3) {{ nodes {{ {} }} }} }}", many(0..10, name));
    app.admin().at(&router).gql(&query, json!({})).await.data();
    for n in 0..40 {
        app.user(&format!("u{n}"), guardianeye::model::Role::Viewer, app.now()).await;
    }
    let more = query.replace("first: 3", "first: 43");
    for query in [more.clone(), more.replace(": username", ": username @skip(if: false)")] {
        assert_refused(&app.admin().at(&router).gql(&query, json!({})).await, 65_536);
    }
}

async fn a_mutation_with_too_large_a_response_reports_that_it_is_committed(app: &TestApp) {
    large_sessions(app, 5).await;
    let router = app.within(|limits| limits.response_bytes = 100_000).await;
    let create =
        "mutation { createSession(input: {title: \"new\"}) { session { user { sessions { nodes { context } } } } } }";
    let reply = app.admin().at(&router).gql(create, json!({})).await;
    assert_eq!((reply.code(), &reply.body["data"]), ("QUERY_TOO_COMPLEX", &Value::Null));
    assert!(reply.message().ends_with("the changes of the mutation are committed"), "{}", reply.message());
    let titles = "{ sessions(filter: {title: {eq: \"new\"}}) { nodes { title } } }";
    assert_eq!(app.admin().gql(titles, json!({})).await.data()["sessions"]["nodes"], json!([{ "title": "new" }]));
}

/// Sessions of the admin's with 60 kB of context each.
async fn large_sessions(app: &TestApp, count: i64) {
    let mut tx = app.db().begin().await.expect("a transaction");
    for n in 0..count {
        let session = Session {
            id: SessionId::new(app.now()),
            user_id: app.admin().id(),
            thread_id: None,
            context: Some(RawJson(json!({ "text": "x".repeat(60_000) }).to_string())),
            title: Some(format!("s{n}")),
            is_active: true,
            created_at: app.now().plus_seconds(n),
            updated_at: app.now(),
            ended_at: None,
        };
        assert!(guardianeye::db::sessions::insert(&mut tx, &session).await.expect("inserts"));
    }
    tx.commit().await.expect("commits");
}

/// Bytes of an answer's text.
async fn size_of(app: &TestApp, query: &str) -> u64 {
    let reply = app.admin().gql(query, json!({})).await;
    json!({ "data": reply.data() }).to_string().len() as u64
}

fn assert_refused(reply: &Reply, limit: u64) {
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    let message = format!(
        "the answer is larger than {limit} bytes: ask for fewer rows or fields (GUARDIANEYE_MAX_RESPONSE_BYTES)"
    );
    assert_eq!((reply.code(), reply.message()), ("QUERY_TOO_COMPLEX", &*message));
    assert_eq!(reply.body["data"], Value::Null);
    assert!(reply.body.as_object().expect("an answer").contains_key("data"), "it was executed");
}
