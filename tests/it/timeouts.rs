//! Statements and requests that take too long: they are stopped, the caller is told so and no more, and the next query
//! finds its connection.

use std::time::{Duration, Instant};

use guardianeye::db::{Db, Settings};
use serde_json::json;

use crate::support::{Backend, Reply, TestApp, on_both};

/// Longer than any test waits: whoever answers before was stopped.
const NEVER: Duration = Duration::from_mins(1);

on_both!(
    a_slow_statement_is_stopped_and_its_connection_works_on,
    a_slow_write_is_stopped_and_its_connection_works_on,
    a_request_that_takes_too_long_is_answered_and_its_connection_comes_back,
    short_statements_are_not_added_up
);

async fn a_slow_statement_is_stopped_and_its_connection_works_on(app: &TestApp) {
    app.session(app.viewer().id(), "slow", app.now()).await;
    let router = app.on(one_connection(app, Duration::from_millis(300)).await, |_| {}).await;
    let ask = async |query: &str| app.admin().at(&router).gql(query, json!({})).await;
    make_sessions_slow(app).await;
    for _ in 0..3 {
        let started = Instant::now();
        let reply = ask("{ me { username } sessions { nodes { id } } }").await;
        assert!(started.elapsed() < NEVER, "it took {:?}", started.elapsed());
        assert_timeout(&reply);
        assert_eq!(reply.body["data"], json!({ "me": { "username": "adam" }, "sessions": null }));
        assert_eq!(
            ask("{ users { nodes { username } } }").await.data()["users"]["nodes"].as_array().map(Vec::len),
            Some(3)
        );
    }
    make_sessions_quick(app).await;
    assert_eq!(ask("{ sessions { nodes { title } } }").await.data()["sessions"]["nodes"][0]["title"], "slow");
}

async fn a_slow_write_is_stopped_and_its_connection_works_on(app: &TestApp) {
    let router = app.on(one_connection(app, Duration::from_millis(300)).await, |_| {}).await;
    let login = r#"mutation { login(input: {username: "vera", password: "a good password"}) { user { username } } }"#;
    make_audit_slow(app).await;
    for _ in 0..2 {
        assert_timeout(&app.anonymous().at(&router).gql(login, json!({})).await);
    }
    make_audit_quick(app).await;
    let reply = app.anonymous().at(&router).gql(login, json!({})).await;
    assert_eq!(reply.data()["login"]["user"]["username"], "vera");
    let reply = app.viewer().at(&router).gql("{ me { auditLogs { nodes { action } } } }", json!({})).await;
    assert_eq!(
        reply.data()["me"]["auditLogs"]["nodes"],
        json!([{ "action": "LOGIN" }]),
        "what was stopped left nothing"
    );
}

async fn a_request_that_takes_too_long_is_answered_and_its_connection_comes_back(app: &TestApp) {
    app.session(app.viewer().id(), "slow", app.now()).await;
    let db = one_connection(app, Duration::from_secs(1)).await;
    let router = app.on(db, |limits| limits.request_timeout = Duration::from_millis(200)).await;
    let patient = app.on(one_connection(app, Duration::from_secs(1)).await, |_| {}).await;
    make_sessions_slow(app).await;
    let reply = app.admin().at(&router).gql("{ sessions { nodes { id } } }", json!({})).await;
    assert_eq!(reply.status.as_u16(), 503);
    assert_timeout(&reply);
    // The one connection is busy until its statement is stopped; then it is as good as new.
    let started = Instant::now();
    loop {
        let reply = app.admin().at(&router).gql("{ me { username } }", json!({})).await;
        if reply.codes().is_empty() {
            break;
        }
        assert_timeout(&reply);
        assert!(started.elapsed() < NEVER, "the connection did not come back");
    }
    app.admin().at(&patient).gql("{ me { username } }", json!({})).await.data();
}

/// Many short statements on one connection are not taken for one long one.
async fn short_statements_are_not_added_up(app: &TestApp) {
    let timeout = Duration::from_millis(400);
    let db = one_connection(app, timeout).await;
    let router = app.on(db, |limits| limits.document.cost_per_minute = 1_000_000_000).await;
    for n in 0..300 {
        app.session(app.viewer().id(), &format!("s{n}"), app.now().plus_seconds(n)).await;
    }
    let started = Instant::now();
    while started.elapsed() < 4 * timeout {
        app.admin()
            .at(&router)
            .gql("{ users { nodes { sessions(first: 100) { nodes { id title user { id } } } } } }", json!({}))
            .await
            .data();
    }
}

/// A restart of PostgreSQL, as far as a test can have one: all connections of the pool are dead.
#[tokio::test]
async fn after_postgresql_was_restarted_the_next_requests_are_answered() {
    TestApp::run(Backend::Postgres, async |app| {
        let ask = async || app.admin().gql("{ users { nodes { username } } }", json!({})).await;
        futures_util::future::join_all((0..16).map(|_| ask())).await;
        app.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and application_name = 'guardianeye'",
        )
        .await;
        // One that was in use less than a second ago is taken as it is, so real time has to pass.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        for reply in futures_util::future::join_all((0..16).map(|_| ask())).await {
            assert_eq!(reply.data()["users"]["nodes"].as_array().map(Vec::len), Some(3));
        }
    })
    .await;
}

pub async fn one_connection(app: &TestApp, statement_timeout: Duration) -> Db {
    let settings = Settings {
        max_connections: Some(1),
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Some(statement_timeout),
        ..Settings::default()
    };
    Db::connect(&app.database.url, settings).await.expect("connects")
}

/// Every page of `sessions` takes longer than anybody waits.
pub async fn make_sessions_slow(app: &TestApp) {
    app.execute("alter table sessions rename to quick_sessions").await;
    app.execute(match app.backend {
        Backend::Sqlite => {
            "create view sessions as select s.* from quick_sessions s, (with recursive count(n) as
                (select 1 union all select n + 1 from count where n < 1000000000000) select max(n) m from count) slow
             where slow.m > 0"
        }
        Backend::Postgres => "create view sessions as select s.* from quick_sessions s, pg_sleep(600)",
    })
    .await;
}

pub async fn make_sessions_quick(app: &TestApp) {
    app.execute("drop view sessions").await;
    app.execute("alter table quick_sessions rename to sessions").await;
}

/// So does every entry in the audit log.
pub async fn make_audit_slow(app: &TestApp) {
    match app.backend {
        Backend::Sqlite => {
            app.execute(
                "create view slow_count as with recursive count(n) as
                    (select 1 union all select n + 1 from count where n < 1000000000000) select max(n) m from count",
            )
            .await;
            app.execute("create trigger slow after insert on audit_logs begin select m from slow_count; end").await;
        }
        Backend::Postgres => {
            app.execute(
                "create function slow() returns trigger language plpgsql as
                    $$ begin perform pg_sleep(600); return new; end $$",
            )
            .await;
            app.execute("create trigger slow before insert on audit_logs for each row execute function slow()").await;
        }
    }
}

pub async fn make_audit_quick(app: &TestApp) {
    app.execute(match app.backend {
        Backend::Sqlite => "drop trigger slow",
        Backend::Postgres => "drop trigger slow on audit_logs",
    })
    .await;
}

/// The code and a sentence, and nothing of the inside.
pub fn assert_timeout(reply: &Reply) {
    assert_eq!(reply.code(), "TIMEOUT", "{:#}", reply.body);
    assert_eq!(reply.body["errors"][0]["extensions"], json!({ "code": "TIMEOUT" }));
    let told = reply.body.to_string().to_lowercase();
    for inside in ["57014", "interrupt", "cancel", "statement timeout", "sqlx", "select", "quick_sessions"] {
        assert!(!told.contains(inside), "{inside}: {told}");
    }
}
