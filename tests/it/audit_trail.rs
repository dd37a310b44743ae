//! What stands in the audit log, and that no change is without its entry and no entry without its change.

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use guardianeye::model::{Role, Scope, User};
use serde_json::{Value, json};
use sha2::Digest;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, query_scalar, sqlite::SqliteConnectOptions};

use crate::support::{Backend, Caller, TestApp, log_in_from, on_both, subject_of};

on_both!(
    refused_access_is_recorded_with_who_and_where,
    what_goes_over_a_limit_is_recorded_but_does_not_fill_the_log,
    no_change_without_its_entry_and_no_entry_without_its_change,
    a_log_that_takes_no_entries_stops_all_changes_and_no_reads,
    no_password_or_token_is_stored_as_it_is,
    every_write_leaves_one_entry_with_who_where_and_what
);

async fn refused_access_is_recorded_with_who_and_where(app: &TestApp) {
    app.viewer().gql("{ users { nodes { id } } sessions { nodes { id } } }", json!({})).await;
    app.viewer().gql("mutation { endSession(id: \"x\") { session { id } } }", json!({})).await;
    app.anonymous().gql("{ users { nodes { id } } }", json!({})).await;
    let entries = entries(app, "ACCESS_DENIED").await;
    assert_eq!(entries.len(), 2, "one for a request, and none for whoever did not log in: {entries:#?}");
    let paths: Vec<_> = entries.iter().map(|entry| entry["details"]["path"].as_str().expect("a path")).collect();
    assert!(paths.contains(&"users") && paths.contains(&"endSession"), "{paths:?}");
    for entry in &entries {
        assert_eq!((&entry["username"], &entry["success"]), (&json!("vera"), &json!(false)));
        assert_eq!(entry["details"]["code"], "FORBIDDEN");
    }
}

async fn what_goes_over_a_limit_is_recorded_but_does_not_fill_the_log(app: &TestApp) {
    let deep = format!(
        "{{ me {{ sessions {{ nodes {} }} }} }}",
        "{ user { sessions { nodes ".repeat(9) + "{ id }" + &" } } }".repeat(9)
    );
    assert_eq!(app.viewer().gql(&deep, json!({})).await.code(), "QUERY_TOO_COMPLEX");
    app.services.detached.close();
    app.services.detached.wait().await;
    let found = entries(app, "LIMIT_EXCEEDED").await;
    assert_eq!((found.len(), &found[0]["username"]), (1, &json!("vera")), "the caller does not wait for it");
    for _ in 0..30 {
        app.viewer().gql("{ users { nodes { id } } }", json!({})).await;
    }
    assert_eq!(entries(app, "ACCESS_DENIED").await.len(), 10);
}

async fn no_change_without_its_entry_and_no_entry_without_its_change(app: &TestApp) {
    for (number, write) in WRITES.iter().enumerate() {
        let mut failed = 0;
        for (at, (table, event)) in FAULTS.iter().enumerate() {
            let owner = app.user(&format!("owner-{number}-{at}"), Role::Admin, app.now()).await;
            let variables = variables(app, &owner).await;
            // An attempt is counted whatever becomes of it.
            let counts = write.contains("login(") || write.contains("changePassword(");
            let before = dump(app, !counts).await;
            set_fault(app, table, event, true).await;
            let reply = app.logged_in(&owner).gql(write, variables).await;
            set_fault(app, table, event, false).await;
            if reply.codes().is_empty() {
                continue;
            }
            failed += 1;
            assert_eq!(reply.code(), "INTERNAL", "{write} without {event} of {table}: {:#}", reply.body);
            let after = dump(app, !counts).await;
            assert!(before == after, "{write} without {event} of {table} left something");
        }
        let own = !write.contains("recordAuditLog");
        assert!(failed > usize::from(own), "{write}: neither its entry nor its change was held up");
    }
}

async fn a_log_that_takes_no_entries_stops_all_changes_and_no_reads(app: &TestApp) {
    let session = app.session(app.admin().id(), "there", app.now()).await;
    set_fault(app, "audit_logs", "insert", true).await;
    let before = dump(app, false).await;
    for (name, password) in [("vera", "a good password"), ("vera", "wrong"), ("nobody", "wrong")] {
        let query = "mutation($name: String!, $password: String!) { login(input: {username: $name, password: $password}) { accessToken } }";
        let reply = app.anonymous().gql(query, json!({ "name": name, "password": password })).await;
        assert_eq!(reply.code(), "INTERNAL", "{name} {password}");
    }
    let end = "mutation($id: ID!) { endSession(id: $id) { session { id } } }";
    assert_eq!(app.admin().gql(end, json!({ "id": session.id.to_string() })).await.code(), "INTERNAL");
    // What is refused is refused, also when that cannot be recorded.
    assert_eq!(app.viewer().gql("{ users { nodes { id } } }", json!({})).await.code(), "FORBIDDEN");
    let reads = "{ me { email sessions { nodes { title context } } auditLogs { nodes { id } } }
            users { nodes { email lastLogin } } auditLogs { totalCount } auditLogStats { total } }";
    app.admin().gql(reads, json!({})).await.data();
    assert!(before == dump(app, false).await, "something was changed");
    set_fault(app, "audit_logs", "insert", false).await;
    app.admin().gql(end, json!({ "id": session.id.to_string() })).await.data();
}

async fn no_password_or_token_is_stored_as_it_is(app: &TestApp) {
    let login =
        "mutation { login(input: {username: \"vera\", password: \"a good password\"}) { accessToken refreshToken } }";
    let made = app.anonymous().gql(login, json!({})).await.data()["login"].clone();
    let refresh =
        "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { accessToken refreshToken } }";
    let renewed =
        app.anonymous().gql(refresh, json!({ "token": made["refreshToken"] })).await.data()["refreshToken"].clone();
    let script = "mutation { createApiToken(input: {name: \"x\", scopes: [READ]}) { token } }";
    let script = app.viewer().gql(script, json!({})).await.data()["createApiToken"]["token"].clone();
    let stored = dump(app, true).await.to_lowercase();
    for secret in [
        &made["accessToken"],
        &made["refreshToken"],
        &renewed["accessToken"],
        &renewed["refreshToken"],
        &script,
        &json!("a good password"),
    ] {
        let secret = secret.as_str().expect("a secret");
        assert!(!stored.contains(&secret.to_lowercase()), "{secret}");
    }
    for token in [&made["refreshToken"], &renewed["refreshToken"], &script] {
        let hash = format!("{:x}", sha2::Sha256::digest(token.as_str().expect("a token")));
        assert!(stored.contains(&hash), "the hash of {token} is what is stored");
    }
}

async fn every_write_leaves_one_entry_with_who_where_and_what(app: &TestApp) {
    for (number, write) in WRITES.iter().enumerate() {
        let owner = app.user(&format!("owner-{number}"), Role::Admin, app.now()).await;
        let variables = variables(app, &owner).await;
        let before = count(app, &owner).await;
        app.logged_in(&owner).gql(write, variables).await.data();
        // A refresh is no event of its own.
        let expected = i64::from(!write.contains("refreshToken"));
        assert_eq!(count(app, &owner).await - before, expected, "{write}");
    }
}

/// Each write once, by an admin: `$name` is the caller's name, `$session` a session and `$login` a login and `$script` a
/// token for scripts of the caller's, `$other` another user, `$asleep` an inactive one, `$new` and `$mail` a name and an address that nobody has.
const WRITES: &[&str] = &[
    "mutation($name: String!) { login(input: {username: $name, password: \"a good password\"}) { expiresAt } }",
    "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { expiresAt } }",
    "mutation { logout { success } }",
    "mutation($login: ID!) { revokeAuthSession(id: $login) { authSession { id } } }",
    "mutation { revokeAllAuthSessions { count } }",
    "mutation { createSession(input: {title: \"x\"}) { session { id } } }",
    "mutation($session: ID!) { updateSession(input: {id: $session, title: \"x\"}) { session { id } } }",
    "mutation($session: ID!) { endSession(id: $session) { session { id } } }",
    "mutation($session: ID!) { deleteSession(id: $session) { deletedSessionId } }",
    "mutation { recordAuditLog(input: {action: QUERY_AGENT}) { auditLog { id } } }",
    "mutation($new: String!, $mail: String!) { createUser(input: {username: $new, email: $mail, password: \"correct horse battery staple\"}) { user { id } } }",
    "mutation($other: ID!) { updateUser(input: {id: $other, fullName: \"x\"}) { user { id } } }",
    "mutation($other: ID!) { setUserRole(input: {id: $other, role: ADMIN}) { user { id } } }",
    "mutation($other: ID!) { deactivateUser(id: $other) { user { id } } }",
    "mutation($asleep: ID!) { reactivateUser(id: $asleep) { user { id } } }",
    "mutation($other: ID!) { unlockUser(id: $other) { user { id } } }",
    "mutation($other: ID!) { deleteUser(id: $other) { deletedUserId } }",
    "mutation($other: ID!) { resetPassword(input: {userId: $other, newPassword: \"correct horse battery staple\"}) { user { id } } }",
    "mutation { changePassword(input: {currentPassword: \"a good password\", newPassword: \"correct horse battery staple\"}) { user { id } } }",
    "mutation($name: String!) { createApiToken(input: {name: $name, scopes: [READ]}) { apiToken { id } } }",
    "mutation($script: ID!) { revokeApiToken(id: $script) { apiToken { id } } }",
];

#[test]
fn every_mutation_of_the_schema_is_among_the_writes() {
    let sdl = guardianeye::graphql::GraphqlApi::default().sdl();
    let fields =
        parse_schema(sdl).expect("the SDL is GraphQL").definitions.into_iter().find_map(
            |definition| match definition {
                TypeSystemDefinition::Type(ty) if ty.node.name.node == "Mutation" => match ty.node.kind {
                    TypeKind::Object(object) => Some(object.fields),
                    _ => None,
                },
                _ => None,
            },
        );
    for field in fields.expect("mutations") {
        let name = &field.node.name.node;
        let is_there = |write: &&str| write.contains(&format!("{{ {name}(")) || write.contains(&format!("{{ {name} "));
        assert!(WRITES.iter().any(is_there), "{name}");
    }
}

/// What is made to fail: each kind of change of each table.
const FAULTS: &[(&str, &str)] = &[
    ("audit_logs", "insert"),
    ("users", "insert"),
    ("users", "update"),
    ("users", "delete"),
    ("sessions", "insert"),
    ("sessions", "update"),
    ("sessions", "delete"),
    ("auth_sessions", "insert"),
    ("auth_sessions", "update"),
    ("refresh_tokens", "insert"),
    ("refresh_tokens", "update"),
    ("api_tokens", "insert"),
    ("api_tokens", "update"),
    ("login_throttles", "insert"),
    ("login_throttles", "update"),
    ("login_throttles", "delete"),
    ("known_networks", "insert"),
];

/// What the writes are about: the admin's own, and another user who has failed to log in.
async fn variables(app: &TestApp, owner: &User) -> Value {
    let session = app.session(owner.id, "theirs", app.now()).await;
    let other = app.user(&format!("other-{}", owner.username), Role::Viewer, app.now()).await;
    let asleep = app.user(&format!("asleep-{}", owner.username), Role::Viewer, app.now()).await;
    app.execute(&format!("update users set is_active = false where id = '{}'", asleep.id)).await;
    let (script, _) = app.api_token(owner.id, &[Scope::Read]).await;
    let address = std::net::Ipv6Addr::from(uuid::Uuid::from(other.id).as_u128()).to_string();
    assert_eq!(log_in_from(&app.router, &address, &other.username, "wrong").await.code(), "UNAUTHENTICATED");
    let (new, mail) = (format!("new-{}", owner.username), format!("new-{}@example.com", owner.username));
    json!({
        "name": owner.username, "session": session.id.to_string(), "other": other.id.to_string(), "new": new, "mail": mail,
        "login": subject_of(owner.id).auth_session.to_string(), "asleep": asleep.id.to_string(), "script": script.id.to_string(),
        "token": refresh_token(app, owner).await,
    })
}

async fn refresh_token(app: &TestApp, user: &User) -> String {
    let query =
        "mutation($name: String!) { login(input: {username: $name, password: \"a good password\"}) { refreshToken } }";
    let reply = app.anonymous().gql(query, json!({ "name": user.username })).await;
    reply.data()["login"]["refreshToken"].as_str().expect("a token").to_owned()
}

/// Makes a kind of change of a table fail, or lets it succeed again.
async fn set_fault(app: &TestApp, table: &str, event: &str, on: bool) {
    let statement = match (app.backend, on) {
        (Backend::Sqlite, true) => {
            format!("create trigger fault before {event} on {table} begin select raise(abort, 'fault'); end")
        }
        (Backend::Sqlite, false) => "drop trigger fault".to_owned(),
        (Backend::Postgres, true) => format!(
            "create or replace function fault() returns trigger language plpgsql as 'begin raise ''fault''; end';
             create trigger fault before {event} on {table} for each row execute function fault()"
        ),
        (Backend::Postgres, false) => format!("drop trigger fault on {table}"),
    };
    app.execute_all(&statement).await;
}

/// All rows of all tables, with or without the counts of failed logins, as text.
async fn dump(app: &TestApp, with_counts: bool) -> String {
    const TABLES: [&str; 8] = [
        "users",
        "sessions",
        "audit_logs",
        "auth_sessions",
        "refresh_tokens",
        "api_tokens",
        "known_networks",
        "login_throttles",
    ];
    let tables = if with_counts { &TABLES[..] } else { &TABLES[..7] };
    let mut text = String::new();
    match app.backend {
        Backend::Sqlite => {
            let options = app.database.url.parse::<SqliteConnectOptions>().expect("a URL");
            let mut connection = options.connect().await.expect("connects");
            for table in tables {
                let columns =
                    format!("select group_concat('quote(' || name || ')', ' || ') from pragma_table_info('{table}')");
                let columns: String =
                    query_scalar(AssertSqlSafe(columns)).fetch_one(&mut connection).await.expect("asks");
                let rows = format!("select {columns} from {table} order by 1");
                let rows: Vec<String> =
                    query_scalar(AssertSqlSafe(rows)).fetch_all(&mut connection).await.expect("asks");
                text = [text, (*table).to_owned(), rows.join("\n")].join("\n");
            }
        }
        Backend::Postgres => {
            let mut connection = PgConnection::connect(&app.database.url).await.expect("connects");
            for table in tables {
                let rows = format!("select t::text from {table} t order by 1");
                let rows: Vec<String> =
                    query_scalar(AssertSqlSafe(rows)).fetch_all(&mut connection).await.expect("asks");
                text = [text, (*table).to_owned(), rows.join("\n")].join("\n");
            }
        }
    }
    text
}

async fn entries(app: &TestApp, action: &str) -> Vec<Value> {
    let query = "query($action: AuditAction!) { auditLogs(filter: {action: {eq: $action}}) { nodes { username success details } } }";
    let caller: Caller<'_> = app.admin();
    let reply = caller.gql(query, json!({ "action": action })).await;
    reply.data()["auditLogs"]["nodes"].as_array().expect("entries").clone()
}

async fn count(app: &TestApp, user: &User) -> i64 {
    let query = "query($user: ID!) { auditLogs(filter: {user: {eq: $user}}) { totalCount } }";
    let reply = app.admin().gql(query, json!({ "user": user.id.to_string() })).await;
    reply.data()["auditLogs"]["totalCount"].as_i64().expect("a count")
}
