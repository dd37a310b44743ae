//! How often a principal may write in a minute, by role and credential.

use std::num::NonZeroU32;

use guardianeye::model::{Role, Scope};
use serde_json::json;

use crate::support::{Caller, TestApp, on_both};

/// A mutation that is refused when it is executed: it costs a write and no statement.
const WRITE: &str = "mutation { updateUser(input: {id: \"x\", fullName: \"x\"}) { user { id } } }";

on_both!(
    a_viewer_writes_600_times_a_minute_and_no_more,
    what_is_over_the_limit_is_refused_before_the_work,
    signing_in_and_refreshing_count_like_other_mutations,
    each_mutation_of_an_operation_counts,
    analysts_admins_and_api_tokens_have_limits_of_their_own,
    by_default_analysts_admins_and_api_tokens_write_without_a_limit
);

async fn a_viewer_writes_600_times_a_minute_and_no_more(app: &TestApp) {
    let viewer = app.viewer();
    for number in 0..600 {
        assert_ne!(outcome(&viewer).await, "RATE_LIMITED", "{number}");
    }
    let reply = viewer.gql(WRITE, json!({})).await;
    assert_eq!(reply.code(), "RATE_LIMITED");
    assert_eq!(reply.body["errors"][0]["extensions"]["retryAfter"], 1);
    assert!(
        reply.message().contains("600") && reply.message().contains("GUARDIANEYE_WRITES_PER_MINUTE_VIEWER"),
        "{}",
        reply.message()
    );
    // Reading goes on, and so do others.
    viewer.gql("{ me { id } }", json!({})).await.data();
    let other = app.user("ida", Role::Viewer, app.now()).await;
    assert_ne!(outcome(&app.logged_in(&other)).await, "RATE_LIMITED");
    assert_ne!(outcome(&app.analyst()).await, "RATE_LIMITED");
}

async fn what_is_over_the_limit_is_refused_before_the_work(app: &TestApp) {
    let server = app.within(|limits| limits.writes.viewer = NonZeroU32::new(2)).await;
    let rename =
        "mutation($id: ID!, $name: String!) { updateUser(input: {id: $id, fullName: $name}) { user { fullName } } }";
    let id = app.viewer().id().to_string();
    for (name, code) in [("one", None), ("two", None), ("three", Some("RATE_LIMITED"))] {
        let reply = app.viewer().at(&server).gql(rename, json!({ "id": id, "name": name })).await;
        assert_eq!(reply.codes().first().copied(), code, "{name}");
    }
    let reply = app.admin().gql("{ userByUsername(username: \"vera\") { fullName } auditLogs(filter: {action: {eq: USER_UPDATED}}) { totalCount } }", json!({})).await;
    assert_eq!(*reply.data(), json!({ "userByUsername": { "fullName": "two" }, "auditLogs": { "totalCount": 2 } }));
}

async fn signing_in_and_refreshing_count_like_other_mutations(app: &TestApp) {
    let server = app.within(|limits| limits.writes.viewer = NonZeroU32::new(2)).await;
    let anonymous = app.anonymous().at(&server);
    let login = "mutation { login(input: {username: \"vera\", password: \"a good password\"}) { refreshToken } }";
    let refresh = "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { refreshToken } }";
    let token = anonymous.gql(login, json!({})).await.data()["login"]["refreshToken"].clone();
    let token = anonymous.gql(refresh, json!({ "token": token })).await.data()["refreshToken"]["refreshToken"].clone();
    assert_eq!(anonymous.gql(refresh, json!({ "token": token })).await.code(), "RATE_LIMITED");
    for _ in 0..8 {
        assert_eq!(anonymous.gql(login, json!({})).await.code(), "RATE_LIMITED");
    }
    // Neither the token nor the patience of the account is used up by what was refused.
    let other = app.within(|_| {}).await;
    let anonymous = app.anonymous().at(&other);
    anonymous.gql(refresh, json!({ "token": token })).await.data();
    anonymous.gql(login, json!({})).await.data();
}

async fn each_mutation_of_an_operation_counts(app: &TestApp) {
    let server = app.within(|limits| limits.writes.viewer = NonZeroU32::new(2)).await;
    let write = |number: usize| {
        let fields = (0..number).map(|at| format!("w{at}: updateUser(input: {{id: \"x\"}}) {{ user {{ id }} }}"));
        format!("mutation {{ {} }}", fields.collect::<Vec<_>>().join(" "))
    };
    let viewer = app.viewer().at(&server);
    let too_many = viewer.gql(&write(3), json!({})).await;
    assert_eq!(
        (too_many.code(), &too_many.body["errors"][0]["extensions"]["retryAfter"]),
        ("QUERY_TOO_COMPLEX", &json!(null)),
        "never possible"
    );
    assert!(!viewer.gql(&write(2), json!({})).await.codes().contains(&"RATE_LIMITED"));
    assert_eq!(viewer.gql(&write(1), json!({})).await.code(), "RATE_LIMITED");
}

async fn analysts_admins_and_api_tokens_have_limits_of_their_own(app: &TestApp) {
    let server = app
        .within(|limits| {
            limits.writes.viewer = None;
            limits.writes.analyst = NonZeroU32::new(1);
            limits.writes.admin = NonZeroU32::new(2);
            limits.writes.api_token = NonZeroU32::new(3);
        })
        .await;
    let (_, first) = app.api_token(app.analyst().id(), &[Scope::WriteAudit]).await;
    let (_, second) = app.api_token(app.analyst().id(), &[Scope::WriteAudit]).await;
    for (caller, limit) in [(app.analyst(), Some(1)), (app.admin(), Some(2)), (first, Some(3)), (app.viewer(), None)] {
        let caller = caller.at(&server);
        for number in 0..limit.unwrap_or(5) {
            assert_ne!(outcome(&caller).await, "RATE_LIMITED", "{number} of {limit:?}");
        }
        assert_eq!(outcome(&caller).await == "RATE_LIMITED", limit.is_some(), "{limit:?}");
    }
    assert_eq!(outcome(&second.at(&server)).await, "RATE_LIMITED", "all tokens of a user count together");
}

async fn by_default_analysts_admins_and_api_tokens_write_without_a_limit(app: &TestApp) {
    let (_, script) = app.api_token(app.analyst().id(), &[Scope::WriteAudit]).await;
    for caller in [app.analyst(), app.admin(), script] {
        for number in 0..700 {
            assert_ne!(outcome(&caller).await, "RATE_LIMITED", "{number}");
        }
    }
}

async fn outcome(caller: &Caller<'_>) -> String {
    caller.gql(WRITE, json!({})).await.code().to_owned()
}
