//! The receipt of a request: who gets one, and that its numbers tell nobody what the database holds.

use guardianeye::model::{Role, Scope};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, on_both};

on_both!(
    a_receipt_comes_only_when_it_is_asked_for,
    an_anonymous_request_gets_no_receipt_not_even_one_that_logs_in,
    statements_and_rows_are_for_those_who_may_read_everything,
    node_takes_as_many_statements_whether_the_id_exists_or_not
);

async fn a_receipt_comes_only_when_it_is_asked_for(app: &TestApp) {
    let reply = app.analyst().gql("{ me { id } }", json!({})).await;
    let receipt = &reply.body["extensions"]["receipt"];
    assert_eq!(receipt["requestId"].as_str(), reply.headers["x-request-id"].to_str().ok());
    assert_eq!((&receipt["statements"], &receipt["rows"], &receipt["cost"]), (&json!(1), &json!(1), &json!(2)));
    assert!(receipt["durationMs"].as_f64().expect("a number") > 0.0);
    let request = axum::http::Request::post("/graphql").header("content-type", "application/json");
    let body = json!({ "query": "{ me { id } }" }).to_string().into();
    let reply = app.analyst().send(request.body(body).expect("a request")).await;
    assert!(reply.body.get("extensions").is_none());
}

async fn an_anonymous_request_gets_no_receipt_not_even_one_that_logs_in(app: &TestApp) {
    let login = "mutation($name: String!, $password: String!) {
            login(input: {username: $name, password: $password}) { user { username } } }";
    for (name, password, logs_in) in
        [("vera", "wrong", false), ("nobody", "wrong", false), ("adam", "a good password", true)]
    {
        let reply = app.anonymous().gql(login, json!({ "name": name, "password": password })).await;
        assert_eq!(reply.codes().is_empty(), logs_in, "{:#}", reply.body);
        assert!(reply.body.get("extensions").is_none(), "{:#}", reply.body);
    }
    let reply = app.anonymous().gql("{ __typename }", json!({})).await;
    assert!(reply.body.get("extensions").is_none(), "{:#}", reply.body);
}

async fn statements_and_rows_are_for_those_who_may_read_everything(app: &TestApp) {
    let admin = app.admin().id();
    let (_, reader) = app.api_token(admin, &[Scope::Read]).await;
    let (_, writer) = app.api_token(admin, &[Scope::WriteAudit]).await;
    for (caller, counts) in
        [(app.viewer(), false), (app.analyst(), true), (app.admin(), true), (reader, true), (writer, false)]
    {
        let reply = caller.gql("{ __typename }", json!({})).await;
        let receipt = reply.body["extensions"]["receipt"].as_object().expect("a receipt");
        assert_eq!(receipt.contains_key("statements"), counts, "{receipt:?}");
        assert_eq!(receipt.contains_key("rows"), counts, "{receipt:?}");
        assert!(receipt.contains_key("cost") && receipt.contains_key("durationMs"), "{receipt:?}");
    }
}

async fn node_takes_as_many_statements_whether_the_id_exists_or_not(app: &TestApp) {
    let owner = app.user("olga", Role::Admin, app.now()).await.id;
    let (token, _) = app.api_token(owner, &[Scope::Read]).await;
    let nobodys = uuid::Uuid::from_u128(7).to_string();
    let ids = [
        owner.to_string(),
        app.session(owner, "theirs", app.now()).await.id.to_string(),
        app.audit_log(Some(owner), app.now()).await.id.to_string(),
        crate::support::subject_of(owner).auth_session.to_string(),
        token.id.to_string(),
    ];
    for caller in [app.viewer(), app.analyst(), app.admin()] {
        // Who asks is known from here on.
        counts(&caller, &nobodys).await;
        let none = counts(&caller, &nobodys).await;
        for (id, ty) in ids.iter().zip(["User", "Session", "AuditLog", "AuthSession", "ApiToken"]) {
            let found = counts(&caller, id).await;
            assert_eq!((found.0, found.1), (none.0, none.1), "{ty}");
            // Rows only where the answer tells it anyway.
            assert!(found.3 != Value::Null || found.2 == none.2, "{ty}: {} and {}", found.2, none.2);
        }
    }
}

/// The statements of `node` and of `nodes`, the rows of the first as its receipt has them, and what it found.
async fn counts(caller: &Caller<'_>, id: &str) -> (u64, u64, Value, Value) {
    let known = uuid::Uuid::from_u128(8).to_string();
    let one = caller.gql("query($id: ID!) { node(id: $id) { __typename } }", json!({ "id": id })).await;
    let many = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }";
    let many = caller.gql(many, json!({ "ids": [known, id] })).await;
    many.data();
    (one.sql(), many.sql(), one.body["extensions"]["receipt"]["rows"].clone(), one.data()["node"].clone())
}
