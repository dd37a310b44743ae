//! The PostgreSQL role that `deploy/roles.sql` makes for the server: it is enough to serve, and not enough to change the log.

use guardianeye::db::{Db, Settings};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::support::{Backend, Caller, TestApp};

const ROLES: &str = include_str!("../../deploy/roles.sql");
const ROLE: &str = "guardianeye_server";

#[tokio::test]
async fn the_role_of_the_documentation_serves_and_cannot_change_the_log() {
    TestApp::run(Backend::Postgres, story).await;
}

async fn story(app: &TestApp) {
    // Roles belong to all databases of a server.
    let role = format!("{ROLE}_{}", std::process::id());
    let roles = ROLES.replace(ROLE, &role);
    assert!(roles.contains(&role), "{roles}");
    app.execute_all(&roles).await;
    // After each migration it is run again.
    app.execute_all(&roles).await;

    let joint = if app.database.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{joint}options[role]={role}", app.database.url);
    let db = Db::connect(&url, Settings::default()).await.expect("connects");
    assert!(db.is_migrated().await.expect("asks"), "as `serve` does at its start");
    let router = app.on(db.clone(), |_| {}).await;
    let admin = app.admin().at(&router);
    let login = "mutation($password: String!) { login(input: {username: \"vera\", password: $password}) { accessToken refreshToken } }";
    let wrong = app.anonymous().at(&router).gql(login, json!({ "password": "wrong" })).await;
    assert_eq!(wrong.code(), "UNAUTHENTICATED");
    let reply = app.anonymous().at(&router).gql(login, json!({ "password": "a good password" })).await;
    let vera = Caller::with_token(app, reply.data()["login"]["accessToken"].as_str().expect("a token").to_owned());
    let vera = vera.at(&router);
    let refresh = "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { expiresAt } }";
    vera.gql(refresh, json!({ "token": reply.data()["login"]["refreshToken"] })).await.data();
    vera.gql("mutation { createApiToken(input: {name: \"x\", scopes: [READ]}) { token } }", json!({})).await.data();
    vera.gql("mutation { logout { success } }", json!({})).await.data();
    // An entry as an older program wrote it, without a name: the name is added when the user goes.
    let old = app.audit_log(Some(app.viewer().id()), app.now()).await.id.to_string();
    for (write, variables) in [
        ("mutation { createSession(input: {title: \"x\"}) { session { id } } }", json!({})),
        ("mutation { recordAuditLog(input: {action: QUERY_AGENT}) { auditLog { id } } }", json!({})),
        (
            "mutation($id: ID!) { setUserRole(input: {id: $id, role: ANALYST}) { user { id } } }",
            json!({ "id": app.viewer().id() .to_string() }),
        ),
        (
            "mutation($id: ID!) { deleteUser(id: $id) { deletedUserId } }",
            json!({ "id": app.viewer().id().to_string() }),
        ),
    ] {
        admin.gql(write, variables).await.data();
    }
    let reads = "query($old: ID!) { users { totalCount } sessions { totalCount } auditLogs { totalCount } auditLogStats { total } auditLog(id: $old) { username user { id } } }";
    let reply = admin.gql(reads, json!({ "old": old })).await;
    assert_eq!(reply.data()["auditLog"], json!({ "username": "vera", "user": null }));
    db.close().await;

    let mut connection = PgConnection::connect(&url).await.expect("connects");
    for statement in [
        "update audit_logs set description = 'nothing happened'",
        "update audit_logs set success = true",
        "update audit_logs set user_id = null",
        "update audit_logs set timestamp = now()",
        "delete from audit_logs",
        "truncate audit_logs",
        "drop table audit_logs",
        "alter table audit_logs disable trigger all",
        "create table elsewhere (id int)",
        "delete from _sqlx_migrations",
    ] {
        let refused = connection.execute(AssertSqlSafe(statement)).await.expect_err(statement);
        let code =
            refused.as_database_error().and_then(sqlx::error::DatabaseError::code).map(std::borrow::Cow::into_owned);
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused}");
    }
    connection.close().await.expect("closes");
    app.execute_all(&format!("drop owned by {role}; drop role {role}")).await;
}
