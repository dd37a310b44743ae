//! API tokens end with a reset password and with a deactivated user, and do not manage admins or passwords.

use std::process::Command;

use guardianeye::model::{Role, Scope};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, on_both};

on_both!(
    a_reset_password_revokes_the_api_tokens_of_the_user,
    a_deactivated_user_loses_the_api_tokens_for_good,
    the_command_that_resets_a_password_revokes_the_api_tokens,
    admins_and_passwords_are_managed_by_a_login_session_only,
    the_access_matrix_says_that_no_api_token_resets_a_password
);

async fn a_reset_password_revokes_the_api_tokens_of_the_user(app: &TestApp) {
    let (token, script) = app.api_token(app.analyst().id(), &[Scope::Read]).await;
    let (_, second) = app.api_token(app.analyst().id(), &[Scope::Read]).await;
    let (_, others) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
    assert_eq!(me(&script).await, 200);
    let reset = "mutation($id: ID!) { resetPassword(input: {userId: $id, newPassword: \"correct horse battery staple\"}) { user { id } } }";
    app.admin().gql(reset, json!({ "id": app.analyst().id().to_string() })).await.data();
    assert_eq!((me(&script).await, me(&second).await, me(&others).await), (401, 401, 200));
    let entry = newest(app, "PASSWORD_CHANGED").await;
    assert_eq!(entry["details"]["apiTokens"], 2, "{entry}");
    let query = "query($id: ID!) { node(id: $id) { ... on ApiToken { revokedAt } } }";
    let shown = app.admin().gql(query, json!({ "id": token.id.to_string() })).await;
    assert_eq!(shown.data()["node"]["revokedAt"], "2026-03-01T12:00:00.000000Z");
}

async fn a_deactivated_user_loses_the_api_tokens_for_good(app: &TestApp) {
    let (_, script) = app.api_token(app.analyst().id(), &[Scope::Read]).await;
    let (revoked, _) = app.api_token(app.analyst().id(), &[Scope::Read]).await;
    app.execute(&format!("update api_tokens set revoked_at = '{}' where id = '{}'", app.now(), revoked.id)).await;
    assert_eq!(me(&script).await, 200);
    let id = json!({ "id": app.analyst().id().to_string() });
    app.admin().gql("mutation($id: ID!) { deactivateUser(id: $id) { user { id } } }", id.clone()).await.data();
    let entry = newest(app, "USER_UPDATED").await;
    assert_eq!(entry["details"]["apiTokens"], 1, "the one that was not revoked before: {entry}");
    app.admin().gql("mutation($id: ID!) { reactivateUser(id: $id) { user { id } } }", id).await.data();
    // Also on a server that has not authenticated it before.
    let server = app.within(|_| {}).await;
    assert_eq!(me(&script.at(&server)).await, 401, "reactivation does not bring it back");
}

async fn the_command_that_resets_a_password_revokes_the_api_tokens(app: &TestApp) {
    let (_, script) = app.api_token(app.analyst().id(), &[Scope::Read]).await;
    let output = Command::new(env!("CARGO_BIN_EXE_guardianeye"))
        .args(["users", "reset-password", "anna"])
        .env("DATABASE_URL", &app.database.url)
        .env("GUARDIANEYE_NEW_PASSWORD", "correct horse battery staple")
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 API token"), "{text}");
    assert_eq!(me(&script).await, 401);
    assert_eq!(newest(app, "PASSWORD_CHANGED").await["details"]["apiTokens"], 1);
}

async fn admins_and_passwords_are_managed_by_a_login_session_only(app: &TestApp) {
    let (_, script) = app.api_token(app.admin().id(), &[Scope::ManageUsers, Scope::Read]).await;
    let user = app.user("ida", Role::Viewer, app.now()).await;
    let variables = json!({ "id": user.id.to_string() });
    for write in [
        "mutation { createUser(input: {username: \"new\", email: \"new@example.com\", password: \"correct horse battery staple\", role: ADMIN}) { user { role } } }",
        "mutation($id: ID!) { setUserRole(input: {id: $id, role: ADMIN}) { user { role } } }",
        "mutation($id: ID!) { resetPassword(input: {userId: $id, newPassword: \"correct horse battery staple\"}) { user { role } } }",
    ] {
        let reply = script.gql(write, variables.clone()).await;
        assert_eq!(reply.code(), "FORBIDDEN", "{write}: {:#}", reply.body);
        assert!(
            reply.message().contains("sign in and use the access token of that login session"),
            "{}",
            reply.message()
        );
        app.admin().gql(write, variables.clone()).await.data();
        app.execute(&format!("update users set role = 'viewer' where id = '{}'", user.id)).await;
    }
    // An ADMIN who was deactivated comes back by a login session only; everybody else also by a token.
    let reactivate = "mutation($id: ID!) { reactivateUser(id: $id) { user { role } } }";
    for (role, code) in [("admin", Some("FORBIDDEN")), ("viewer", None)] {
        app.execute(&format!("update users set role = '{role}', is_active = false where id = '{}'", user.id)).await;
        let reply = script.gql(reactivate, variables.clone()).await;
        assert_eq!(reply.codes().first().copied(), code, "{role}");
    }
    app.execute(&format!("update users set role = 'admin', is_active = false where id = '{}'", user.id)).await;
    app.admin().gql(reactivate, variables.clone()).await.data();
    app.execute(&format!("update users set role = 'viewer' where id = '{}'", user.id)).await;
    // Everything below an admin goes on.
    for (at, role) in ["VIEWER", "ANALYST"].into_iter().enumerate() {
        let create = format!(
            "mutation {{ createUser(input: {{username: \"u{at}\", email: \"u{at}@example.com\", password: \"correct horse battery staple\", role: {role}}}) {{ user {{ role }} }} }}"
        );
        script.gql(&create, json!({})).await.codes().is_empty().then_some(()).expect(role);
        let set = format!(
            "mutation($id: ID!) {{ setUserRole(input: {{id: $id, role: {role}}}) {{ clientMutationId: __typename }} }}"
        );
        assert!(script.gql(&set, variables.clone()).await.codes().is_empty(), "{role}");
    }
}

async fn the_access_matrix_says_that_no_api_token_resets_a_password(app: &TestApp) {
    let reply = app.viewer().gql("{ accessMatrix { coordinate roles scope } }", json!({})).await;
    let rule = json!({ "coordinate": "Mutation.resetPassword", "roles": ["ADMIN"], "scope": null });
    assert!(reply.data()["accessMatrix"].as_array().expect("rules").contains(&rule));
}

async fn me(caller: &Caller<'_>) -> u16 {
    caller.gql("{ me { id } }", json!({})).await.status.as_u16()
}

async fn newest(app: &TestApp, action: &str) -> Value {
    let query = "query($action: AuditAction!) { auditLogs(first: 1, filter: {action: {eq: $action}}) { nodes { details description } } }";
    app.admin().gql(query, json!({ "action": action })).await.data()["auditLogs"]["nodes"][0].clone()
}
