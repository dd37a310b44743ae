//! Logins over time: refresh tokens, logout, ending them, and that all of it acts on the very next request.

use guardianeye::model::Role;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both};

const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken expiresAt } }";
const REFRESH: &str = "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) {
    accessToken refreshToken expiresAt passwordChangeRequired user { username } } }";

on_both!(
    a_refresh_token_gives_new_tokens_and_is_used_up,
    a_refresh_token_is_no_access_token_and_the_other_way_round,
    tabs_that_refresh_at_once_stay_signed_in,
    a_refresh_token_used_later_again_ends_the_login,
    a_refresh_token_whose_successor_was_used_ends_the_login_at_once,
    a_login_ends_when_it_is_not_used_and_after_a_day_in_any_case,
    a_logout_acts_on_the_next_request,
    logins_are_listed_with_the_current_one_and_ended_one_by_one_or_all,
    an_admin_ends_anybodys_logins_and_others_do_not_see_them,
    logins_of_many_users_are_read_in_one_statement,
    no_token_or_hash_of_one_is_in_the_audit_log
);

async fn a_refresh_token_gives_new_tokens_and_is_used_up(app: &TestApp) {
    let first = login(app, "anna").await;
    let reply = refresh(app.anonymous(), &first.refresh).await;
    let second = Tokens::of(&reply.data()["refreshToken"]);
    assert_eq!(reply.data()["refreshToken"]["user"], json!({ "username": "anna" }));
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(me(app, &second.access).await, json!({ "username": "anna" }));
    let third = Tokens::of(&refresh(app.anonymous(), &second.refresh).await.data()["refreshToken"]);
    assert_eq!(me(app, &third.access).await, json!({ "username": "anna" }));
    for nonsense in ["", "x", "ger_", &first.access] {
        let reply = refresh(app.anonymous(), nonsense).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (200, "UNAUTHENTICATED"));
    }
}

async fn a_refresh_token_is_no_access_token_and_the_other_way_round(app: &TestApp) {
    let tokens = login(app, "anna").await;
    let reply = Caller::with_token(app, tokens.refresh).gql("{ me { id } }", json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"));
    assert_eq!(refresh(app.anonymous(), &tokens.access).await.code(), "UNAUTHENTICATED");
}

async fn tabs_that_refresh_at_once_stay_signed_in(app: &TestApp) {
    let first = login(app, "anna").await;
    let router = app.later(10).await;
    let tabs =
        futures_util::future::join_all(
            (0..8).map(|tab| {
                let (caller, router, token) = (app.anonymous(), &router, &first.refresh);
                async move {
                    if tab % 2 == 0 { refresh(caller, token).await } else { refresh(caller.at(router), token).await }
                }
            }),
        )
        .await;
    let mut next: Vec<_> = tabs.iter().map(|reply| Tokens::of(&reply.data()["refreshToken"]).refresh).collect();
    next.dedup();
    assert_eq!(next.len(), 1, "all tabs have the same successor");
    refresh(app.anonymous(), &next[0]).await.data();
}

async fn a_refresh_token_used_later_again_ends_the_login(app: &TestApp) {
    let first = login(app, "anna").await;
    let other = login(app, "anna").await;
    let second = Tokens::of(&refresh(app.anonymous(), &first.refresh).await.data()["refreshToken"]);
    let router = app.later(11).await;
    assert_eq!(refresh(app.anonymous().at(&router), &first.refresh).await.code(), "UNAUTHENTICATED");
    for access in [&first.access, &second.access] {
        let reply = Caller::with_token(app, access.clone()).gql("{ me { id } }", json!({})).await;
        assert_eq!(reply.code(), "UNAUTHENTICATED");
    }
    assert_eq!(refresh(app.anonymous(), &second.refresh).await.code(), "UNAUTHENTICATED");
    assert_eq!(me(app, &other.access).await, json!({ "username": "anna" }), "another login goes on");
    let entries = entries(app, "TOKEN_REUSE").await;
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0]["success"], &entries[0]["username"]), (&json!(false), &json!("anna")));
}

async fn a_refresh_token_whose_successor_was_used_ends_the_login_at_once(app: &TestApp) {
    let first = login(app, "anna").await;
    let second = Tokens::of(&refresh(app.anonymous(), &first.refresh).await.data()["refreshToken"]);
    let third = Tokens::of(&refresh(app.anonymous(), &second.refresh).await.data()["refreshToken"]);
    assert_eq!(refresh(app.anonymous(), &first.refresh).await.code(), "UNAUTHENTICATED");
    assert_eq!(refresh(app.anonymous(), &third.refresh).await.code(), "UNAUTHENTICATED");
    assert_eq!(entries(app, "TOKEN_REUSE").await.len(), 1);
}

async fn a_login_ends_when_it_is_not_used_and_after_a_day_in_any_case(app: &TestApp) {
    let first = login(app, "anna").await;
    let late = app.later(3_601).await;
    assert_eq!(refresh(app.anonymous().at(&late), &first.refresh).await.code(), "UNAUTHENTICATED");
    let mut token = login(app, "anna").await.refresh;
    for half_hours in 1..48 {
        let router = app.later(half_hours * 1_800).await;
        let reply = refresh(app.anonymous().at(&router), &token).await;
        token = Tokens::of(&reply.data()["refreshToken"]).refresh;
        if half_hours == 47 {
            assert_eq!(reply.data()["refreshToken"]["expiresAt"], "2026-03-02T11:45:00.000000Z");
        }
    }
    let router = app.later(86_390).await;
    let reply = refresh(app.anonymous().at(&router), &token).await;
    assert_eq!(reply.data()["refreshToken"]["expiresAt"], "2026-03-02T12:00:00.000000Z", "no access beyond the login");
    let token = Tokens::of(&reply.data()["refreshToken"]).refresh;
    let router = app.later(86_400).await;
    assert_eq!(refresh(app.anonymous().at(&router), &token).await.code(), "UNAUTHENTICATED");
}

async fn a_logout_acts_on_the_next_request(app: &TestApp) {
    let tokens = login(app, "anna").await;
    let caller = Caller::with_token(app, tokens.access);
    assert_eq!(
        *caller.gql("mutation { logout { success } }", json!({})).await.data(),
        json!({ "logout": { "success": true } })
    );
    let reply = caller.gql("{ me { id } }", json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"));
    assert_eq!(refresh(app.anonymous(), &tokens.refresh).await.code(), "UNAUTHENTICATED");
    assert_eq!(entries(app, "LOGOUT").await.len(), 1);
}

async fn logins_are_listed_with_the_current_one_and_ended_one_by_one_or_all(app: &TestApp) {
    let here = Caller::with_token(app, login(app, "anna").await.access);
    let there = Caller::with_token(app, login(app, "anna").await.access);
    let query = "{ me { authSessions(first: 10) { totalCount nodes { id isCurrent ipAddress userAgent revokedAt user { username } } } } }";
    let reply = here.gql(query, json!({})).await;
    let list = &reply.data()["me"]["authSessions"];
    // The third is the one that every user of a test has from the start.
    assert_eq!(list["totalCount"], 3);
    let nodes = list["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.iter().filter(|node| node["isCurrent"] == true).count(), 1);
    let reply = there.gql(query, json!({})).await;
    let other = reply.data()["me"]["authSessions"]["nodes"].as_array().expect("nodes");
    let id = other.iter().find(|node| node["isCurrent"] == true).expect("one is")["id"].clone();
    let revoke = "mutation($id: ID!) { revokeAuthSession(id: $id) { authSession { id revokedAt } } }";
    for _ in 0..2 {
        let reply = here.gql(revoke, json!({ "id": id })).await;
        assert_eq!(
            reply.data()["revokeAuthSession"]["authSession"],
            json!({ "id": id, "revokedAt": "2026-03-01T12:00:00.000000Z" })
        );
    }
    assert_eq!(there.gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(entries(app, "TOKEN_REVOKED").await.len(), 1, "the second time nothing happened");
    let reply = here.gql("mutation { revokeAllAuthSessions { count } }", json!({})).await;
    assert_eq!(reply.data()["revokeAllAuthSessions"]["count"], 2);
    assert_eq!(here.gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED");
}

async fn an_admin_ends_anybodys_logins_and_others_do_not_see_them(app: &TestApp) {
    let anna = login(app, "anna").await;
    let user = app.analyst().id().to_string();
    let all = "mutation($user: ID!) { revokeAllAuthSessions(userId: $user) { count } }";
    assert_eq!(app.viewer().gql(all, json!({ "user": user })).await.code(), "NOT_FOUND");
    let sessions = "query($user: ID!) { user(id: $user) { authSessions { nodes { id } } } }";
    let olga = app.user("olga", Role::Analyst, app.now()).await;
    assert_eq!(app.logged_in(&olga).gql(sessions, json!({ "user": user })).await.code(), "FORBIDDEN");
    let reply = app.admin().gql(all, json!({ "user": user })).await;
    assert_eq!(reply.data()["revokeAllAuthSessions"]["count"], 2);
    let reply = Caller::with_token(app, anna.access).gql("{ me { id } }", json!({})).await;
    assert_eq!(reply.code(), "UNAUTHENTICATED");
    let entries = entries(app, "TOKEN_REVOKED").await;
    assert_eq!((&entries[0]["username"], &entries[0]["details"]["user"]["username"]), (&json!("adam"), &json!("anna")));
}

async fn logins_of_many_users_are_read_in_one_statement(app: &TestApp) {
    let query = "{ users { nodes { authSessions(first: 2) { totalCount nodes { id user { username } } } } } }";
    let few = app.admin().gql(query, json!({})).await;
    for n in 0..20 {
        app.user(&format!("user-{n}"), Role::Viewer, app.now()).await;
    }
    let many = app.admin().gql(query, json!({})).await;
    assert_eq!(few.sql(), many.sql());
    assert_eq!(many.data()["users"]["nodes"].as_array().map(Vec::len), Some(20));
}

async fn no_token_or_hash_of_one_is_in_the_audit_log(app: &TestApp) {
    let tokens = login(app, "anna").await;
    let second = Tokens::of(&refresh(app.anonymous(), &tokens.refresh).await.data()["refreshToken"]);
    let router = app.later(60).await;
    refresh(app.anonymous().at(&router), &tokens.refresh).await;
    let reply = app.admin().gql("{ auditLogs { nodes { details description } } }", json!({})).await;
    let text = reply.data().to_string();
    for secret in [&tokens.refresh, &tokens.access, &second.refresh, &second.access, &"a good password".to_owned()] {
        assert!(!text.contains(secret.as_str()));
    }
}

struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    fn of(payload: &Value) -> Self {
        let text = |name: &str| payload[name].as_str().expect("a token").to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken") }
    }
}

async fn login(app: &TestApp, username: &str) -> Tokens {
    let input = json!({ "input": { "username": username, "password": "a good password" } });
    Tokens::of(&app.anonymous().gql(LOGIN, input).await.data()["login"])
}

async fn refresh(caller: Caller<'_>, token: &str) -> Reply {
    caller.gql(REFRESH, json!({ "token": token })).await
}

async fn me(app: &TestApp, access: &str) -> Value {
    let reply = Caller::with_token(app, access.to_owned()).gql("{ me { username } }", json!({})).await;
    reply.data()["me"].clone()
}

async fn entries(app: &TestApp, action: &str) -> Vec<Value> {
    let query = "query($action: AuditAction!) { auditLogs(filter: {action: {eq: $action}}) { nodes { username success details } } }";
    let reply = app.admin().gql(query, json!({ "action": action })).await;
    reply.data()["auditLogs"]["nodes"].as_array().expect("entries").clone()
}
