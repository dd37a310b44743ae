//! Reading single things by id, and what they look like.

use guardianeye::model::Role;
use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn node_finds_each_type_by_its_plain_id(app) {
        let user = app.user("nora", Role::Viewer, app.now()).await;
        let session = app.session(user.id, "triage", app.now()).await;
        let log = app.audit_log(Some(user.id), app.now()).await;
        let query = "query($id: ID!) { node(id: $id) { __typename id
            ... on User { username } ... on Session { title } ... on AuditLog { action } } }";
        for (id, expected) in [
            (user.id.to_string(), json!({ "__typename": "User", "id": user.id.to_string(), "username": "nora" })),
            (session.id.to_string(), json!({ "__typename": "Session", "id": session.id.to_string(), "title": "triage" })),
            (log.id.to_string(), json!({ "__typename": "AuditLog", "id": log.id.to_string(), "action": "AGENT_EXECUTION" })),
        ] {
            let reply = app.analyst().gql(query, json!({ "id": id })).await;
            assert_eq!(reply.data()["node"], expected);
            assert_eq!(reply.sql(), 3);
        }
    }

    async fn what_was_stored_comes_out_as_it_was(app) {
        let user = app.user("nora", Role::Viewer, "2026-02-28T23:59:59.123456Z".parse().expect("a time")).await;
        let session = app.session(user.id, "Ümläut 🛡", app.now()).await;
        let query = "query($id: ID!) { session(id: $id) { title threadId context isActive createdAt updatedAt endedAt
            user { username fullName role isActive createdAt lastLogin email } } }";
        let reply = app.analyst().gql(query, json!({ "id": session.id.to_string() })).await;
        assert_eq!(reply.data()["session"], json!({
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
        }));
    }

    async fn an_entry_outlives_its_user(app) {
        let user = app.user("nora", Role::Viewer, app.now()).await;
        let session = app.session(user.id, "gone", app.now()).await;
        let log = app.audit_log(Some(user.id), app.now()).await;
        app.execute(&format!("delete from users where id = '{}'", user.id)).await;
        let query = "query($s: ID!, $l: ID!) { session(id: $s) { id } auditLog(id: $l) { id user { id } username } }";
        let reply = app.analyst().gql(query, json!({ "s": session.id.to_string(), "l": log.id.to_string() })).await;
        assert_eq!(reply.data(), &json!({
            "session": null,
            "auditLog": { "id": log.id.to_string(), "user": null, "username": null },
        }));
    }
}
