//! Finding audit log entries by the name of who did it, whether that user still is there or not.

use guardianeye::model::Role;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgConnection, Row, sqlite::SqliteConnectOptions};

use crate::support::{Backend, TestApp, log_in_from, on_both};

on_both!(
    entries_are_found_by_the_name_they_show,
    a_renamed_user_is_found_by_the_name_of_that_time,
    equality_reads_indexes_only
);

async fn entries_are_found_by_the_name_they_show(app: &TestApp) {
    let (olga, otto) =
        (app.user("olga", Role::Analyst, app.now()).await, app.user("otto", Role::Analyst, app.now()).await);
    // Without a name of their own, as older programs wrote them.
    app.audit_log(Some(olga.id), app.now()).await;
    app.audit_log(Some(otto.id), app.now()).await;
    app.audit_log(None, app.now()).await;
    for user in [&olga, &otto] {
        let record = "mutation { recordAuditLog(input: {action: QUERY_AGENT}) { auditLog { id } } }";
        app.logged_in(user).gql(record, json!({})).await.data();
    }
    log_in_from(&app.router, "192.0.2.1", "nobody", "wrong").await;
    let delete = "mutation($id: ID!) { deleteUser(id: $id) { deletedUserId } }";
    app.admin().gql(delete, json!({ "id": otto.id.to_string() })).await.data();
    for (filter, expected) in [
        (json!({ "eq": "olga" }), 2),
        (json!({ "eq": "Olga" }), 0),
        (json!({ "eq": "otto" }), 2),
        (json!({ "eq": "nobody" }), 1),
        (json!({ "in": ["olga", "otto", "nobody"] }), 5),
        (json!({ "in": [] }), 0),
        (json!({ "contains": "TT" }), 2),
        (json!({ "startsWith": "ol" }), 2),
        (json!({ "startsWith": "l" }), 0),
        (json!({ "eq": "olga", "contains": "x" }), 0),
        (json!({ "isNull": true }), 1),
    ] {
        let found = names(app, json!({ "username": filter })).await;
        assert_eq!(found.len(), expected, "{filter}: {found:?}");
    }
    assert_eq!(
        names(app, json!({ "not": { "username": { "isNull": true } }, "action": { "eq": "AGENT_EXECUTION" } })).await,
        ["olga", "otto"]
    );
    assert_eq!(names(app, json!({ "not": { "username": { "in": ["olga", "otto"] } } })).await.len(), 3);
    let stats = "query($filter: AuditLogFilter) { auditLogStats(filter: $filter) { total } }";
    let reply = app.analyst().gql(stats, json!({ "filter": { "username": { "in": ["olga", "otto"] } } })).await;
    assert_eq!(reply.data()["auditLogStats"]["total"], 4);
}

async fn a_renamed_user_is_found_by_the_name_of_that_time(app: &TestApp) {
    let olga = app.user("olga", Role::Analyst, app.now()).await;
    app.audit_log(Some(olga.id), app.now()).await;
    let rename = "mutation($id: ID!) { updateUser(input: {id: $id, username: \"olivia\"}) { user { id } } }";
    app.logged_in(&olga).gql(rename, json!({ "id": olga.id.to_string() })).await.data();
    assert_eq!(names(app, json!({ "username": { "eq": "olga" } })).await, ["olga"]);
    assert_eq!(names(app, json!({ "username": { "eq": "olivia" } })).await, ["olivia"]);
}

async fn equality_reads_indexes_only(app: &TestApp) {
    let olga = app.user("olga", Role::Viewer, app.now()).await;
    // Two hundred users with fifty entries each, and as many of names that are no user's.
    let rows = match app.backend {
        Backend::Sqlite => "with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
                insert into users (id, username, email, hashed_password, created_at, updated_at)
                select printf('%08x-0000-4000-8000-000000000000', i), 'user-' || i, 'user-' || i, '!', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z' from n;
                with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
                insert into audit_logs (id, user_id, username, action, success, timestamp)
                select printf('%08x-0000-4000-8000-000000000000', i), case when i > 10000 then printf('%08x-0000-4000-8000-000000000000', 1 + i % 200) end, case when i <= 10000 then 'name-' || (i % 500) end, 'login', true, '2026-01-01T00:00:00.000000Z' from n",
        Backend::Postgres => "insert into users (id, username, email, hashed_password, created_at, updated_at)
                select lpad(to_hex(i), 32, '0')::uuid, 'user-' || i, 'user-' || i, '!', '2026-01-01', '2026-01-01' from generate_series(1, 200) i;
                insert into audit_logs (id, user_id, username, action, success, timestamp)
                select lpad(to_hex(i), 32, '0')::uuid, case when i > 10000 then lpad(to_hex(1 + i % 200), 32, '0')::uuid end, case when i <= 10000 then 'name-' || (i % 500) end, 'login', true, '2026-01-01' from generate_series(1, 20000) i",
    };
    app.execute_all(rows).await;
    app.audit_log(Some(olga.id), app.now()).await;
    app.execute("analyze").await;
    assert_eq!(names(app, json!({ "username": { "eq": "name-2" } })).await.len(), 20);
    let plan = match app.backend {
        Backend::Sqlite => {
            let options = app.database.url.parse::<SqliteConnectOptions>().expect("a URL");
            let mut connection = options.connect().await.expect("connects");
            let text = "explain query plan select count(*) from audit_logs t where true and (t.username = $1 or
                    (t.username is null and t.user_id in (select u.id from users u where u.username = $2)))";
            let rows = sqlx::query(text).bind("olga").bind("olga").fetch_all(&mut connection).await.expect("plans");
            rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
        }
        Backend::Postgres => {
            let mut connection = PgConnection::connect(&app.database.url).await.expect("connects");
            let text = "explain select count(*) from audit_logs t where true and (t.username = $1 or
                    (t.username is null and t.user_id = any(array(select u.id from users u where u.username = $2))))";
            let rows = sqlx::query(text).bind("olga").bind("olga").fetch_all(&mut connection).await.expect("plans");
            rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
        }
    };
    assert!(plan.contains("ix_audit_logs_username"), "{plan}");
    assert!(!plan.contains("SCAN t\n") && !plan.contains("Seq Scan on audit_logs"), "{plan}");
}

/// The names of the entries that pass, the oldest first.
async fn names(app: &TestApp, filter: Value) -> Vec<String> {
    let query = "query($filter: AuditLogFilter) { auditLogs(first: 100, filter: $filter, orderBy: {field: TIMESTAMP, direction: ASC}) { nodes { username } } }";
    let reply = app.analyst().gql(query, json!({ "filter": filter })).await;
    let nodes = reply.data()["auditLogs"]["nodes"].as_array().expect("entries").clone();
    let mut names: Vec<_> = nodes.iter().map(|node| node["username"].as_str().unwrap_or_default().to_owned()).collect();
    names.sort();
    names
}
