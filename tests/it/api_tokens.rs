//! Tokens for scripts: what they are made of, what they may do, and when they end.

use guardianeye::{
    auth::ApiTokenSecret,
    model::{Role, Scope},
};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both};

on_both!(
    a_token_is_shown_once_reads_and_leaves_an_entry,
    what_a_token_cannot_be_is_refused,
    garbage_costs_no_statement,
    a_revoked_token_is_out_with_the_next_request,
    an_admin_revokes_anybodys_and_by_a_token_the_entry_says_so,
    a_token_ends_with_its_time_and_with_its_owner,
    a_token_never_does_more_than_its_owner_may_at_that_moment,
    the_use_of_a_token_is_noted_once_a_minute,
    a_request_does_not_fail_because_its_use_cannot_be_noted
);

async fn a_token_is_shown_once_reads_and_leaves_an_entry(app: &TestApp) {
    let reply =
        create(&app.analyst(), json!({ "name": " nightly export ", "scopes": ["WRITE_AUDIT", "READ", "READ"] })).await;
    let made = &reply.data()["createApiToken"];
    let token = made["token"].as_str().expect("a token");
    assert!(ApiTokenSecret::parse(token).is_some(), "its checksum is right: {token}");
    assert_eq!(made["apiToken"]["expiresAt"], "2026-05-30T12:00:00.000000Z", "in 90 days");
    let script = Caller::with_token(app, token.to_owned());
    let reply = script.gql("{ me { username apiTokens { totalCount nodes { id name scopes createdAt revokedAt user { username } } } } }", json!({})).await;
    assert_eq!(
        reply.data()["me"],
        json!({ "username": "anna", "apiTokens": { "totalCount": 1, "nodes": [{
        "id": made["apiToken"]["id"], "name": "nightly export", "scopes": ["READ", "WRITE_AUDIT"],
        "createdAt": "2026-03-01T12:00:00.000000Z", "revokedAt": null, "user": { "username": "anna" },
    }] } })
    );
    let log = entries(app).await;
    assert_eq!((&log[0]["action"], &log[0]["username"]), (&json!("TOKEN_CREATED"), &json!("anna")));
    assert_eq!(
        log[0]["details"],
        json!({
            "createdApiToken": made["apiToken"]["id"], "scopes": ["read", "write_audit"], "expiresAt": "2026-05-30T12:00:00.000000Z",
        })
    );
    let everything = app
        .admin()
        .gql(
            "{ auditLogs { nodes { details description } } users { nodes { apiTokens { nodes { name } } } } }",
            json!({}),
        )
        .await;
    assert!(!everything.body.to_string().contains(token), "nobody sees it again");
}

async fn what_a_token_cannot_be_is_refused(app: &TestApp) {
    let viewer = app.viewer();
    for (caller, input, field) in [
        (&viewer, json!({ "name": "  ", "scopes": ["READ"] }), "name"),
        (&viewer, json!({ "name": "ä".repeat(101), "scopes": ["READ"] }), "name"),
        (&viewer, json!({ "name": "a\nb", "scopes": ["READ"] }), "name"),
        (&viewer, json!({ "name": "x", "scopes": [] }), "scopes"),
        (&viewer, json!({ "name": "x", "scopes": ["READ", "WRITE_SESSIONS"] }), "scopes"),
        (&viewer, json!({ "name": "x", "scopes": ["WRITE_AUDIT"] }), "scopes"),
        (&app.analyst(), json!({ "name": "x", "scopes": ["MANAGE_USERS"] }), "scopes"),
        (&viewer, json!({ "name": "x", "scopes": ["READ"], "expiresAt": "2026-03-01T12:00:00Z" }), "expiresAt"),
        (&viewer, json!({ "name": "x", "scopes": ["READ"], "expiresAt": "2027-03-01T12:00:01Z" }), "expiresAt"),
    ] {
        let reply = create(caller, input.clone()).await;
        assert_eq!(
            (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
            ("BAD_USER_INPUT", &json!(field)),
            "{input}"
        );
    }
    for (caller, input) in [
        (&viewer, json!({ "name": "ä".repeat(100), "scopes": ["READ"], "expiresAt": "2027-03-01T12:00:00Z" })),
        (&app.analyst(), json!({ "name": "x", "scopes": ["WRITE_SESSIONS", "WRITE_AUDIT"] })),
        (&app.admin(), json!({ "name": "x", "scopes": ["MANAGE_USERS"] })),
    ] {
        create(caller, input).await.data();
    }
    let (_, script) = app.api_token(app.admin().id(), Scope::ALL).await;
    assert_eq!(create(&script, json!({ "name": "x", "scopes": ["READ"] })).await.code(), "FORBIDDEN");
}

async fn garbage_costs_no_statement(app: &TestApp) {
    let (_, script) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
    let token = script.token().to_owned();
    let last = if token.ends_with('0') { '1' } else { '0' };
    let tampered = format!("{}{last}", &token[..token.len() - 1]);
    for garbage in [tampered, "gey_".to_owned(), format!("{token}0"), format!("gey_{}", "0".repeat(49))] {
        let before = app.db().meter().statements();
        let reply = Caller::with_token(app, garbage.clone()).gql("{ me { id } }", json!({})).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"), "{garbage}");
        assert_eq!(app.db().meter().statements(), before);
    }
    // Well made, but nobody's.
    let unknown = ApiTokenSecret::generate().expect("random bits").expose().to_owned();
    assert_eq!(Caller::with_token(app, unknown).gql("{ me { id } }", json!({})).await.status, 401);
    assert_eq!(script.gql("{ me { id } }", json!({})).await.sql(), 1);
}

async fn a_revoked_token_is_out_with_the_next_request(app: &TestApp) {
    let (token, script) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
    script.gql("{ me { id } }", json!({})).await.data();
    let id = token.id.to_string();
    assert_eq!(revoke(&app.analyst(), &id).await.code(), "NOT_FOUND", "another's");
    assert_eq!(revoke(&app.viewer(), &uuid::Uuid::nil().to_string()).await.code(), "NOT_FOUND");
    assert_eq!(revoke(&script, &id).await.code(), "FORBIDDEN", "it lacks the scope");
    let reply = revoke(&app.viewer(), &id).await;
    assert_eq!(reply.data()["revokeApiToken"]["apiToken"]["revokedAt"], "2026-03-01T12:00:00.000000Z");
    assert_eq!(script.gql("{ me { id } }", json!({})).await.status, 401);
    revoke(&app.viewer(), &id).await.data();
    let log = entries(app).await;
    assert_eq!((log.len(), &log[0]["action"]), (1, &json!("TOKEN_REVOKED")), "a second time changes nothing");
    assert_eq!(
        log[0]["details"],
        json!({ "revokedApiToken": id, "user": { "id": app.viewer().id().to_string(), "username": "vera" } })
    );
}

async fn an_admin_revokes_anybodys_and_by_a_token_the_entry_says_so(app: &TestApp) {
    let (token, script) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
    let (manager, managing) = app.api_token(app.admin().id(), &[Scope::ManageUsers]).await;
    revoke(&managing, &token.id.to_string()).await.codes();
    assert_eq!(script.gql("{ me { id } }", json!({})).await.status, 401);
    let log = entries(app).await;
    assert_eq!(log[0]["username"], "adam");
    assert_eq!(log[0]["details"]["apiToken"], manager.id.to_string());
}

async fn a_token_ends_with_its_time_and_with_its_owner(app: &TestApp) {
    let user = app.user("ida", Role::Analyst, app.now()).await;
    let (token, script) = app.api_token(user.id, &[Scope::Read]).await;
    for (change, status) in [
        (format!("update api_tokens set expires_at = '{}' where id = '{}'", app.now(), token.id), 401),
        (format!("update api_tokens set expires_at = '{}' where id = '{}'", app.now().plus_micros(1), token.id), 200),
        (format!("update users set is_active = false where id = '{}'", user.id), 401),
        (format!("update users set is_active = true where id = '{}'", user.id), 200),
        (format!("delete from users where id = '{}'", user.id), 401),
    ] {
        app.execute(&change).await;
        // A server that keeps nobody yet.
        let server = app.within(|_| {}).await;
        let script = Caller::with_token(app, script.token().to_owned()).at(&server);
        assert_eq!(script.gql("{ me { id } }", json!({})).await.status, status, "{change}");
    }
}

async fn a_token_never_does_more_than_its_owner_may_at_that_moment(app: &TestApp) {
    let user = app.user("ada", Role::Admin, app.now()).await;
    let (_, script) = app.api_token(user.id, Scope::ALL).await;
    let (theirs, _) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
    let users = "{ users(first: 1) { nodes { id } } }";
    script.gql(users, json!({})).await.data();
    let give = async |role: &str| {
        let query =
            "mutation($user: ID!, $role: Role!) { setUserRole(input: {id: $user, role: $role}) { user { id } } }";
        app.admin().gql(query, json!({ "user": user.id.to_string(), "role": role })).await.data();
    };
    give("ANALYST").await;
    script.gql(users, json!({})).await.data();
    assert_eq!(revoke(&script, &theirs.id.to_string()).await.code(), "NOT_FOUND");
    give("VIEWER").await;
    assert_eq!(script.gql(users, json!({})).await.code(), "FORBIDDEN");
}

async fn the_use_of_a_token_is_noted_once_a_minute(app: &TestApp) {
    let admin = app.admin();
    for (before, after) in [
        ("null".to_owned(), app.now()),
        (format!("'{}'", app.now().plus_seconds(-60)), app.now()),
        (format!("'{}'", app.now().plus_seconds(-59)), app.now().plus_seconds(-59)),
    ] {
        let (token, script) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
        app.execute(&format!("update api_tokens set last_used_at = {before} where id = '{}'", token.id)).await;
        script.gql("{ me { id } }", json!({})).await.data();
        // It is written beside the request; asking takes a connection after that, sooner or later.
        let mut noted = Value::Null;
        for _ in 0..1_000 {
            let query = "query($id: ID!) { node(id: $id) { ... on ApiToken { lastUsedAt } } }";
            noted = admin.gql(query, json!({ "id": token.id.to_string() })).await.data()["node"]["lastUsedAt"].clone();
            if noted == after.to_string() {
                break;
            }
        }
        assert_eq!(noted, after.to_string(), "{before}");
    }
}

async fn a_request_does_not_fail_because_its_use_cannot_be_noted(app: &TestApp) {
    let (_, script) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
    // A writer who does not end: the note waits for it, the request does not.
    let tx = app.db().begin().await.expect("a transaction");
    script.gql("{ me { id } }", json!({})).await.data();
    drop(tx);
}

async fn create(caller: &Caller<'_>, input: Value) -> Reply {
    let query =
        "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) { token apiToken { id expiresAt } } }";
    caller.gql(query, json!({ "input": input })).await
}

async fn revoke(caller: &Caller<'_>, id: &str) -> Reply {
    caller.gql("mutation($id: ID!) { revokeApiToken(id: $id) { apiToken { revokedAt } } }", json!({ "id": id })).await
}

/// What the audit log has of tokens that were made and revoked, the newest first.
async fn entries(app: &TestApp) -> Vec<Value> {
    let query =
        "{ auditLogs(filter: {action: {in: [TOKEN_CREATED, TOKEN_REVOKED]}}) { nodes { action username details } } }";
    let reply = app.admin().gql(query, json!({})).await;
    reply.data()["auditLogs"]["nodes"].as_array().expect("entries").clone()
}
