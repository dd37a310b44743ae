//! Mutations that are sent again under an `Idempotency-Key`.

use axum::{Router, body::Body, http::Request};
use futures_util::future::join_all;
use guardianeye::model::{Role, Scope, UserId};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both};

const END_ALL: &str = "mutation($user: ID!) { a: revokeAllAuthSessions(userId: $user) { count } }";

on_both!(
    the_second_time_is_answered_like_the_first_and_nothing_is_done,
    errors_are_answered_again_byte_for_byte,
    an_answer_too_long_to_store_is_told_and_the_mutation_not_done_again,
    a_key_is_for_one_request_of_one_user,
    one_of_many_at_once_is_done,
    what_broke_off_is_not_done_again_in_the_life_of_the_key,
    old_keys_are_removed_on_the_way,
    a_client_that_goes_away_does_not_stop_it,
    what_was_not_executed_may_be_sent_again,
    answers_with_secrets_are_not_kept,
    queries_and_strangers_have_no_keys
);

async fn the_second_time_is_answered_like_the_first_and_nothing_is_done(app: &TestApp) {
    let user = app.user("olga", Role::Viewer, app.now()).await.id;
    let first = end_all(&app.admin(), user, "k1").await;
    assert_eq!(first.data()["a"]["count"], 1);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    // Also of another instance.
    let other = app.within(|_| ()).await;
    for again in [end_all(&app.admin(), user, "k1").await, end_all(&app.admin().at(&other), user, "\"k1\"").await] {
        assert_eq!((again.status, again.data()), (first.status, first.data()));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.headers["content-type"], first.headers["content-type"]);
        assert!(again.sql() > 0, "the receipt is its own");
    }
    assert_eq!(entries(app).await, 1);
    assert_eq!(end_all(&app.admin(), user, "k2").await.data()["a"]["count"], 0, "another key is another request");
}

async fn errors_are_answered_again_byte_for_byte(app: &TestApp) {
    let nobody = UserId(uuid::Uuid::nil());
    let first = raw(&app.router, &app.admin(), nobody, "k").await;
    assert!(first.contains("NOT_FOUND"), "{first}");
    assert_eq!(raw(&app.router, &app.admin(), nobody, "k").await, first);
}

async fn an_answer_too_long_to_store_is_told_and_the_mutation_not_done_again(app: &TestApp) {
    let contexts = crate::support::many(0..5, |at| format!("c{at}: context "));
    let query =
        format!("mutation($c: JSON) {{ createSession(input: {{context: $c}}) {{ session {{ {contexts} }} }} }}");
    let body = json!({ "query": query, "variables": { "c": "x".repeat(60_000) } }).to_string();
    let send = async || {
        let request =
            Request::post("/graphql").header("content-type", "application/json").header("idempotency-key", "k");
        app.admin().send(request.body(Body::from(body.clone())).expect("a request")).await
    };
    assert_eq!(send().await.data()["createSession"]["session"]["c4"].as_str().expect("a text").len(), 60_000);
    let again = send().await;
    assert_eq!((again.status.as_u16(), again.code()), (200, "CONFLICT"));
    assert!(again.message().contains("was executed") && again.message().contains("262144"), "{}", again.message());
    let sessions = app.admin().gql("{ sessions { totalCount } }", json!({})).await;
    assert_eq!(sessions.data()["sessions"]["totalCount"], 1);
}

async fn a_key_is_for_one_request_of_one_user(app: &TestApp) {
    let [olga, otto] =
        [app.user("olga", Role::Viewer, app.now()).await.id, app.user("otto", Role::Viewer, app.now()).await.id];
    end_all(&app.admin(), olga, "k").await.data();
    let reply = end_all(&app.admin(), otto, "k").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (200, "BAD_USER_INPUT"));
    let accept = [("accept", "application/graphql-response+json"), ("idempotency-key", "k")];
    let reply = send(&app.admin(), END_ALL, json!({ "user": otto.to_string() }), &accept).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (422, "BAD_USER_INPUT"));
    let other_text = END_ALL.replace("a:", "b:");
    assert_eq!(send(&app.admin(), &other_text, json!({ "user": olga.to_string() }), &accept).await.status, 422);
    // A token reads nothing that was answered to a login.
    let (_, script) = app.api_token(app.admin().id(), &[Scope::ManageUsers]).await;
    assert_eq!(end_all(&script, olga, "k").await.code(), "BAD_USER_INPUT");
    // Another user's keys are others.
    let ada = app.user("ada", Role::Admin, app.now()).await;
    assert_eq!(end_all(&app.logged_in(&ada), otto, "k").await.data()["a"]["count"], 1);
}

async fn one_of_many_at_once_is_done(app: &TestApp) {
    let user = app.user("olga", Role::Viewer, app.now()).await.id;
    let other = app.within(|_| ()).await;
    let callers: Vec<_> = (0..10).map(|n| if n % 2 == 0 { app.admin() } else { app.admin().at(&other) }).collect();
    for reply in join_all(callers.iter().map(|caller| end_all(caller, user, "k"))).await {
        if reply.body.get("errors").is_some() {
            assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["retryAfter"]), ("CONFLICT", &json!(1)));
            assert_eq!(reply.headers["retry-after"], "1");
        } else {
            assert_eq!(reply.data()["a"]["count"], 1);
        }
    }
    assert_eq!(entries(app).await, 1);
}

async fn what_broke_off_is_not_done_again_in_the_life_of_the_key(app: &TestApp) {
    let user = app.user("olga", Role::Viewer, app.now()).await.id;
    end_all(&app.admin(), user, "k").await.data();
    // As an instance leaves it that dies before the answer is kept.
    app.execute("update idempotency_keys set answer = null").await;
    for (age, retry_after) in [(9, json!(1)), (10, Value::Null), (24 * 60 * 60 - 1, Value::Null)] {
        app.execute(&format!("update idempotency_keys set created_at = '{}'", app.now().plus_seconds(-age))).await;
        let accept = [("accept", "application/graphql-response+json"), ("idempotency-key", "k")];
        let reply = send(&app.admin(), END_ALL, json!({ "user": user.to_string() }), &accept).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (409, "CONFLICT"), "after {age} s");
        assert_eq!(
            reply.body["errors"][0]["extensions"].get("retryAfter").unwrap_or(&Value::Null),
            &retry_after,
            "after {age} s"
        );
        assert_eq!(reply.message().contains("it is unknown"), retry_after.is_null());
    }
    app.execute(&format!("update idempotency_keys set created_at = '{}'", app.now().plus_seconds(-24 * 60 * 60))).await;
    assert_eq!(end_all(&app.admin(), user, "k").await.data()["a"]["count"], 0, "its life is over");
}

async fn old_keys_are_removed_on_the_way(app: &TestApp) {
    let user = app.user("olga", Role::Viewer, app.now()).await.id;
    end_all(&app.admin(), user, "old").await.data();
    app.execute(&format!("update idempotency_keys set created_at = '{}'", app.now().plus_seconds(-24 * 60 * 60))).await;
    end_all(&app.admin(), user, "new").await.data();
    assert_eq!(guardianeye::db::idempotency_keys::count(app.db()).await.expect("counts"), 1);
}

async fn a_client_that_goes_away_does_not_stop_it(app: &TestApp) {
    let user = app.user("olga", Role::Viewer, app.now()).await.id;
    {
        let admin = app.admin();
        let gone = end_all(&admin, user, "k");
        // Polled until it waits, then dropped as for a closed connection.
        tokio::select! { biased; _ = gone => {}, () = std::future::ready(()) => {} }
    }
    let reply = loop {
        let reply = end_all(&app.admin(), user, "k").await;
        if reply.body.get("errors").is_none() {
            break reply;
        }
        assert_eq!(reply.code(), "CONFLICT");
    };
    assert_eq!(reply.data()["a"]["count"], 1);
    assert_eq!(entries(app).await, 1);
}

async fn what_was_not_executed_may_be_sent_again(app: &TestApp) {
    let reply = send(&app.admin(), "mutation { dance }", json!({}), &[("idempotency-key", "k")]).await;
    assert_eq!(reply.code(), "GRAPHQL_VALIDATION_FAILED");
    let user = app.user("olga", Role::Viewer, app.now()).await.id;
    assert_eq!(end_all(&app.admin(), user, "k").await.data()["a"]["count"], 1);
}

async fn answers_with_secrets_are_not_kept(app: &TestApp) {
    let login = r#"mutation { login(input: {username: "anna", password: "a good password"}) { accessToken } }"#;
    let token = |reply: &Reply| reply.data()["login"]["accessToken"].as_str().expect("a token").to_owned();
    for caller in [app.anonymous(), app.viewer()] {
        let first = send(&caller, login, json!({}), &[("idempotency-key", "k")]).await;
        let second = send(&caller, login, json!({}), &[("idempotency-key", "k")]).await;
        assert_ne!(token(&first), token(&second), "done again");
    }
    let create = r#"mutation { createApiToken(input: {name: "x", scopes: [READ]}) { token } }"#;
    let accept = [("accept", "application/graphql-response+json"), ("idempotency-key", "k")];
    let reply = send(&app.viewer(), create, json!({}), &accept).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "BAD_USER_INPUT"));
    send(&app.viewer(), create, json!({}), &[]).await.data();
    assert_eq!(guardianeye::db::idempotency_keys::count(app.db()).await.expect("counts"), 0);
}

async fn queries_and_strangers_have_no_keys(app: &TestApp) {
    for key in ["k", "not a key", ""] {
        let header = [("idempotency-key", key)];
        send(&app.viewer(), "{ me { id } }", json!({}), &header).await.data();
        assert_eq!(
            send(&app.anonymous(), "mutation { logout { success } }", json!({}), &header).await.code(),
            "UNAUTHENTICATED"
        );
    }
    assert_eq!(
        send(&app.viewer(), "mutation { logout { success } }", json!({}), &[("idempotency-key", "not a key")])
            .await
            .code(),
        "BAD_USER_INPUT"
    );
    send(&app.viewer(), "{ me { id } }", json!({}), &[]).await.data();
    assert_eq!(guardianeye::db::idempotency_keys::count(app.db()).await.expect("counts"), 0);
}

async fn end_all(caller: &Caller<'_>, user: UserId, key: &str) -> Reply {
    send(caller, END_ALL, json!({ "user": user.to_string() }), &[("idempotency-key", key), ("x-receipt", "1")]).await
}

async fn send(caller: &Caller<'_>, query: &str, variables: Value, headers: &[(&str, &str)]) -> Reply {
    caller.send(request(query, &variables, headers)).await
}

fn request(query: &str, variables: &Value, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(json!({ "query": query, "variables": variables }).to_string())).expect("a request")
}

/// The body as it is sent.
async fn raw(router: &Router, caller: &Caller<'_>, user: UserId, key: &str) -> String {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    let authorization = format!("Bearer {}", caller.token());
    let headers = [("idempotency-key", key), ("authorization", authorization.as_str())];
    let request = request(END_ALL, &json!({ "user": user.to_string() }), &headers);
    let response = router.clone().oneshot(request).await.expect("the router answers");
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// How often logins were ended.
async fn entries(app: &TestApp) -> u64 {
    let query = "{ auditLogs(filter: {action: {eq: TOKEN_REVOKED}}) { totalCount } }";
    app.analyst().gql(query, json!({})).await.data()["auditLogs"]["totalCount"].as_u64().expect("a count")
}
