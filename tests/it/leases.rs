//! Few connections and many who want one: nobody is left out, what is given up leaves nothing behind, and a connection
//! that something went wrong on is as good as new for the next statement.

use std::time::Duration;

use futures_util::future::join_all;
use guardianeye::{
    db::{Db, Settings, list, query::ListQuery, sessions::orders},
    error::ErrorCode,
    model::Session,
};
use serde_json::{Value, json};

use crate::{
    support::{Backend, Caller, TestApp, on_both},
    timeouts::{assert_timeout, make_audit_quick, make_audit_slow, make_sessions_slow, one_connection},
};

const OPEN: &str =
    "mutation($title: String) { createSession(input: { title: $title }) { session { id title user { username } } } }";
const READ: &str =
    "{ users { nodes { username sessions(first: 2) { nodes { title } } auditLogs(first: 1) { nodes { action } } } } }";

on_both!(
    a_write_that_is_given_up_leaves_nothing_and_its_connection_works_on,
    clients_that_go_away_at_any_moment_cost_no_connection,
    more_requests_than_connections_are_all_answered,
    one_connection_is_enough_for_every_write,
    a_long_statement_after_one_that_was_stopped_has_all_its_time,
    whoever_gets_no_connection_in_time_is_told_to_come_back,
    closing_while_statements_run_ends
);

async fn a_write_that_is_given_up_leaves_nothing_and_its_connection_works_on(app: &TestApp) {
    for most in [1, 2] {
        let router =
            app.on(connections(app, most).await, |limits| limits.request_timeout = Duration::from_millis(200)).await;
        make_audit_slow(app).await;
        let reply = app.analyst().at(&router).gql(OPEN, json!({ "title": "given up" })).await;
        assert_eq!(reply.status.as_u16(), 503);
        assert_timeout(&reply);
        make_audit_quick(app).await;
        // On SQLite the writer is busy until the statement is stopped.
        let patient = app.on(connections(app, most).await, |_| {}).await;
        app.analyst().at(&patient).gql(OPEN, json!({ "title": "later" })).await.data();
        for n in 0..25 {
            app.analyst().at(&router).gql(OPEN, json!({ "title": format!("{most} {n}") })).await.data();
            app.analyst().at(&router).gql(READ, json!({})).await.data();
        }
        assert_eq!(titles(&app.admin(), "given up").await, 0);
        assert_eq!(entries(&app.admin()).await, count(&app.admin()).await, "each session has its entry");
        if app.backend == Backend::Sqlite {
            app.execute("drop view slow_count").await;
        } else {
            app.execute("drop function slow").await;
        }
    }
}

/// Whoever asks may go away at any moment: before, in and after each statement.
async fn clients_that_go_away_at_any_moment_cost_no_connection(app: &TestApp) {
    let router = app.on(connections(app, 2).await, |_| {}).await;
    for n in 0..60_u64 {
        let caller = app.analyst().at(&router);
        let patience = Duration::from_micros(150 * n);
        let _ = tokio::time::timeout(patience, caller.gql(OPEN, json!({ "title": format!("gone {n}") }))).await;
        let _ = tokio::time::timeout(patience, caller.gql(READ, json!({}))).await;
    }
    let callers: Vec<_> = (0..50).map(|_| app.analyst().at(&router)).collect();
    for reply in join_all(callers.iter().map(|caller| caller.gql(READ, json!({})))).await {
        reply.data();
    }
    app.analyst().at(&router).gql(OPEN, json!({ "title": "stays" })).await.data();
    assert_eq!(titles(&app.admin(), "stays").await, 1);
    assert_eq!(entries(&app.admin()).await, count(&app.admin()).await, "each session has its entry");
}

async fn more_requests_than_connections_are_all_answered(app: &TestApp) {
    for most in [1, 2] {
        let router = app.on(connections(app, most).await, |_| {}).await;
        let callers: Vec<_> = (0..40).map(|_| app.admin().at(&router)).collect();
        let replies = callers.iter().enumerate().map(async |(n, caller)| match n % 4 {
            0 => caller.gql(OPEN, json!({ "title": format!("{most} {n}") })).await,
            1 => caller.gql("{ sessions { totalCount nodes { user { id } } } auditLogs { nodes { action } } users { totalCount } }", json!({})).await,
            _ => caller.gql(READ, json!({})).await,
        });
        for reply in join_all(replies).await {
            reply.data();
        }
    }
    assert_eq!(count(&app.admin()).await, 20);
}

/// Nothing asks for a second connection while it has one.
async fn one_connection_is_enough_for_every_write(app: &TestApp) {
    let router = app.on(connections(app, 1).await, |_| {}).await;
    let ask =
        async |document: &str, variables: Value| app.admin().at(&router).gql(document, variables).await.data().clone();
    let made = ask(r#"mutation { createUser(input: {username: "nina", email: "nina@example.com", password: "correct horse battery", role: VIEWER}) { user { id } } }"#, json!({})).await;
    let id = json!({ "id": made["createUser"]["user"]["id"] });
    let login = r#"mutation { login(input: {username: "nina", password: "correct horse battery"}) { refreshToken user { id sessions { totalCount } } } }"#;
    let tokens = app.anonymous().at(&router).gql(login, json!({})).await.data().clone();
    let refresh = "mutation($t: String!) { refreshToken(input: { refreshToken: $t }) { refreshToken } }";
    app.anonymous().at(&router).gql(refresh, json!({ "t": tokens["login"]["refreshToken"] })).await.data();
    for wrong in ["nina", "nobody"] {
        let login =
            format!(r#"mutation {{ login(input: {{username: "{wrong}", password: "wrong"}}) {{ expiresAt }} }}"#);
        assert_eq!(app.anonymous().at(&router).gql(&login, json!({})).await.code(), "UNAUTHENTICATED");
    }
    for document in [
        "mutation($id: ID!) { updateUser(input: { id: $id, fullName: \"Nina\" }) { user { fullName } } }",
        "mutation($id: ID!) { setUserRole(input: { id: $id, role: ANALYST }) { user { role } } }",
        "mutation($id: ID!) { resetPassword(input: { userId: $id, newPassword: \"another horse battery\" }) { user { id } } }",
        "mutation($id: ID!) { unlockUser(id: $id) { user { id } } }",
        "mutation($id: ID!) { createSession(input: { userId: $id }) { session { user { username } } } }",
        "mutation($id: ID!) { deactivateUser(id: $id) { user { isActive } } }",
        "mutation($id: ID!) { reactivateUser(id: $id) { user { isActive } } }",
        "mutation($id: ID!) { revokeAllAuthSessions(userId: $id) { count } }",
        "mutation($id: ID!) { deleteUser(id: $id) { __typename } }",
    ] {
        ask(document, id.clone()).await;
    }
    ask("mutation { recordAuditLog(input: { action: QUERY_AGENT }) { auditLog { id user { username } } } }", json!({}))
        .await;
    let made =
        ask(r#"mutation { createApiToken(input: { name: "ci", scopes: [READ] }) { apiToken { id } } }"#, json!({}))
            .await;
    ask(
        "mutation($id: ID!) { revokeApiToken(id: $id) { apiToken { revokedAt } } }",
        json!({ "id": made["createApiToken"]["apiToken"]["id"] }),
    )
    .await;
    let (_, script) = app.api_token(app.admin().id(), &[guardianeye::model::Scope::Read]).await;
    script.at(&router).gql(READ, json!({})).await.data();
    assert_eq!(app.viewer().at(&router).gql(READ, json!({})).await.code(), "FORBIDDEN");
    ask("mutation { logout { __typename } }", json!({})).await;
}

/// The statement that was stopped is not held against the next one.
async fn a_long_statement_after_one_that_was_stopped_has_all_its_time(app: &TestApp) {
    let timeout = Duration::from_millis(500);
    let db = one_connection(app, timeout).await;
    app.session(app.viewer().id(), "a", app.now()).await;
    make_sessions_slow(app).await;
    let list_query = ListQuery::newest(orders::CREATED_AT, 10);
    let stopped = list::page::<Session>(&db, &list_query).await.expect_err("it takes for ever");
    assert_eq!(stopped.code(), ErrorCode::Timeout);
    app.execute("drop view sessions").await;
    app.execute(match app.backend {
        Backend::Sqlite => {
            "create view sessions as select s.* from quick_sessions s, (with recursive count(n) as
                    (select 1 union all select n + 1 from count where n < 50000) select max(n) m from count) slow
                 where slow.m > 0"
        }
        Backend::Postgres => "create view sessions as select s.* from quick_sessions s, pg_sleep(0.05)",
    })
    .await;
    for _ in 0..3 {
        assert_eq!(list::page::<Session>(&db, &list_query).await.expect("in time").rows.len(), 1);
    }
}

async fn whoever_gets_no_connection_in_time_is_told_to_come_back(app: &TestApp) {
    let settings =
        Settings { max_connections: Some(1), acquire_timeout: Duration::from_millis(100), ..Settings::default() };
    let db = Db::connect(&app.database.url, settings).await.expect("connects");
    let kept = db.begin().await.expect("the one connection that writes");
    let refused = db.begin().await.expect_err("there is no other");
    assert_eq!(refused.code(), ErrorCode::Timeout, "{}", refused.chain());
    drop(kept);
    db.begin().await.expect("it came back");
}

/// In a server that ends, statements run to their end, and nobody waits for a connection that was given back meanwhile.
async fn closing_while_statements_run_ends(app: &TestApp) {
    for round in 0..20_u64 {
        let db = connections(app, 4).await;
        let work: Vec<_> = (0..8)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { while db.ping().await.is_ok() {} })
            })
            .collect();
        tokio::time::sleep(Duration::from_micros(100 * round)).await;
        tokio::time::timeout(Duration::from_secs(20), db.close()).await.expect("it closes");
        for work in work {
            work.await.expect("no panic");
        }
    }
}

async fn connections(app: &TestApp, most: u32) -> Db {
    let settings = Settings {
        max_connections: Some(most),
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Some(Duration::from_secs(2)),
        ..Settings::default()
    };
    Db::connect(&app.database.url, settings).await.expect("connects")
}

async fn count(caller: &Caller<'_>) -> Value {
    caller.gql("{ sessions { totalCount } }", json!({})).await.data()["sessions"]["totalCount"].clone()
}

async fn entries(caller: &Caller<'_>) -> Value {
    let query = "{ auditLogs(filter: { action: { eq: SESSION_CREATED } }) { totalCount } }";
    caller.gql(query, json!({})).await.data()["auditLogs"]["totalCount"].clone()
}

async fn titles(caller: &Caller<'_>, title: &str) -> Value {
    let query = "query($title: String) { sessions(filter: { title: { eq: $title } }) { totalCount } }";
    caller.gql(query, json!({ "title": title })).await.data()["sessions"]["totalCount"].clone()
}
