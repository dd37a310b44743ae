//! The number of SQL statements of a query, which does not depend on the number of parents.

use guardianeye::model::{Role, Timestamp};
use serde_json::json;

use crate::support::{TestApp, on_both};

const NESTED: &str = "query($first: Int!) { users(first: $first) { nodes { username
    sessions(first: 3) { nodes { title user { username } } pageInfo { hasNextPage } }
    auditLogs(first: 3) { nodes { action user { username email } } }
} } }";

on_both!(
    a_nested_query_costs_the_same_for_1_10_and_100_parents,
    users_with_sessions_and_audit_logs_cost_four_statements,
    two_selections_with_different_arguments_cost_a_statement_each,
    me_costs_only_the_authentication_statement,
    rejected_fields_cost_no_statement
);

async fn a_nested_query_costs_the_same_for_1_10_and_100_parents(app: &TestApp) {
    crowd(app, 110).await;
    let mut costs = Vec::new();
    for first in [1, 10, 100] {
        let reply = app.analyst().gql(NESTED, json!({ "first": first })).await;
        let users = reply.data()["users"]["nodes"].as_array().expect("users");
        assert_eq!(users.len(), first);
        for user in users {
            let sessions = user["sessions"]["nodes"].as_array().expect("sessions");
            assert_eq!(sessions.len(), 2, "{user:#}");
            assert!(sessions.iter().all(|session| session["user"]["username"] == user["username"]));
            assert_eq!(user["auditLogs"]["nodes"].as_array().expect("logs").len(), 1);
        }
        costs.push(reply.sql());
    }
    // Who asks, the users, their sessions, their audit logs, and once more users behind those.
    assert_eq!(costs, [5, 5, 5]);
}

async fn users_with_sessions_and_audit_logs_cost_four_statements(app: &TestApp) {
    crowd(app, 25).await;
    let query = "{ users(first: 20) { nodes { id username email role
            sessions(first: 5) { nodes { id title threadId isActive createdAt } }
            auditLogs(first: 10) { nodes { id action success ipAddress description timestamp } } } } }";
    assert_eq!(app.analyst().gql(query, json!({})).await.sql(), 4);
}

async fn two_selections_with_different_arguments_cost_a_statement_each(app: &TestApp) {
    crowd(app, 5).await;
    let query = "{ users(first: 5) { nodes {
            a: sessions(first: 1) { nodes { title } } b: sessions(first: 2) { nodes { title } } } } }";
    let reply = app.analyst().gql(query, json!({})).await;
    assert_eq!(reply.sql(), 4);
    let user = &reply.data()["users"]["nodes"][0];
    assert_eq!(user["a"]["nodes"].as_array().expect("a").len(), 1);
    assert_eq!(user["b"]["nodes"].as_array().expect("b").len(), 2);
}

async fn me_costs_only_the_authentication_statement(app: &TestApp) {
    assert_eq!(app.viewer().gql("{ me { username email } }", json!({})).await.sql(), 1);
}

async fn rejected_fields_cost_no_statement(app: &TestApp) {
    assert_eq!(app.viewer().gql("{ users { nodes { id } } }", json!({})).await.sql(), 1);
    assert_eq!(app.anonymous().gql("{ users { nodes { id } } }", json!({})).await.sql(), 0);
}

/// Users with two sessions and an entry each, newer than the app's own people.
async fn crowd(app: &TestApp, count: i64) {
    let start: Timestamp = app.now().plus_seconds(60);
    for n in 0..count {
        let user = app.user(&format!("user{n}"), Role::Viewer, start.plus_seconds(n)).await;
        app.session(user.id, "first", start).await;
        app.session(user.id, "second", start.plus_seconds(1)).await;
        app.audit_log(Some(user.id), start).await;
    }
}
