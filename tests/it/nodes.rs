//! Reading single things by id, and what they look like.

use guardianeye::model::Role;
use serde_json::json;

use crate::support::{TestApp, naive, on_both};

on_both!(
    node_finds_each_type_by_its_plain_id,
    what_was_stored_comes_out_as_it_was,
    the_quick_way_and_the_ordinary_way_give_the_same,
    an_entry_outlives_its_user
);

async fn node_finds_each_type_by_its_plain_id(app: &TestApp) {
    let user = app.user("nora", Role::Viewer, app.now()).await;
    let session = app.session(user.id, "triage", app.now()).await;
    let log = app.audit_log(Some(user.id), app.now()).await;
    let query = "query($id: ID!) { node(id: $id) { __typename id
            ... on User { username } ... on Session { title } ... on AuditLog { action } } }";
    for (id, expected) in [
        (user.id.to_string(), json!({ "__typename": "User", "id": user.id.to_string(), "username": "nora" })),
        (session.id.to_string(), json!({ "__typename": "Session", "id": session.id.to_string(), "title": "triage" })),
        (
            log.id.to_string(),
            json!({ "__typename": "AuditLog", "id": log.id.to_string(), "action": "AGENT_EXECUTION" }),
        ),
    ] {
        let reply = app.analyst().gql(query, json!({ "id": id })).await;
        assert_eq!(reply.data()["node"], expected);
        assert_eq!(reply.sql(), 6, "who asks, and each table");
    }
}

async fn what_was_stored_comes_out_as_it_was(app: &TestApp) {
    let user = app.user("nora", Role::Viewer, "2026-02-28T23:59:59.123456Z".parse().expect("a time")).await;
    let session = app.session(user.id, "Ümläut 🛡", app.now()).await;
    let query = "query($id: ID!) { session(id: $id) { title threadId context isActive createdAt updatedAt endedAt
            user { username fullName role isActive createdAt lastLogin email } } }";
    let reply = app.analyst().gql(query, json!({ "id": session.id.to_string() })).await;
    assert_eq!(
        reply.data()["session"],
        json!({
            "title": "Ümläut 🛡",
            "threadId": "thread-Ümläut 🛡",
            "context": { "agent": "triage", "n": 1.50 },
            "isActive": true,
            "createdAt": "2026-03-01T12:00:00.000000Z",
            "updatedAt": "2026-03-01T12:00:00.000000Z",
            "endedAt": null,
            "user": {
                "username": "nora", "fullName": null, "role": "VIEWER", "isActive": true,
                "createdAt": "2026-02-28T23:59:59.123456Z", "lastLogin": null, "email": "nora@example.com",
            },
        })
    );
}

async fn the_quick_way_and_the_ordinary_way_give_the_same(app: &TestApp) {
    naive::fill(app).await;
    for (list, of, fields) in [
        ("users", "User", "id username fullName role isActive createdAt updatedAt __typename"),
        ("sessions", "Session", "endedAt id threadId context title isActive createdAt alias: title updatedAt title"),
        ("auditLogs", "AuditLog", "id action details description ipAddress userAgent __typename success t: timestamp"),
    ] {
        // A fragment is not for the quick way; neither is a directive.
        let ask = async |selection: String| {
            let query = format!(
                "query($yes: Boolean!) {{ {list}(first: 100) {{ edges {{ node {{ {selection} }} }} nodes {{ {selection} }} }} }}"
            );
            let query = if query.contains("$yes)") { query } else { query.replace("query($yes: Boolean!) ", "") };
            app.admin().gql(&query, json!({ "yes": true })).await.data().to_string()
        };
        let quick = ask(fields.to_owned()).await;
        assert_eq!(quick, ask(format!("... on {of} {{ {fields} }}")).await, "{list}");
        let (first, rest) = fields.split_once(' ').expect("several fields");
        assert_eq!(quick, ask(format!("{first} @include(if: $yes) {rest}")).await, "{list}");
    }
}

async fn an_entry_outlives_its_user(app: &TestApp) {
    let user = app.user("nora", Role::Viewer, app.now()).await;
    let session = app.session(user.id, "gone", app.now()).await;
    let log = app.audit_log(Some(user.id), app.now()).await;
    app.execute(&format!("delete from users where id = '{}'", user.id)).await;
    let query = "query($s: ID!, $l: ID!) { session(id: $s) { id } auditLog(id: $l) { id user { id } username } }";
    let reply = app.analyst().gql(query, json!({ "s": session.id.to_string(), "l": log.id.to_string() })).await;
    assert_eq!(
        reply.data(),
        &json!({
            "session": null,
            "auditLog": { "id": log.id.to_string(), "user": null, "username": null },
        })
    );
}
