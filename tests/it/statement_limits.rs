//! Statements in the database: they end with their request, and one principal has only so many at the same time.

use std::time::{Duration, Instant};

use axum::Router;
use futures_util::future::join_all;
use guardianeye::db::{Db, Settings};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    support::{Backend, TestApp, on_both},
    timeouts::{make_sessions_quick, make_sessions_slow},
};

/// Longer than any test waits: whatever ends before was cancelled.
const NEVER: Duration = Duration::from_mins(1);
const SLOW: &str = "{ sessions { nodes { id } } }";
const QUICK: &str = "{ users { nodes { username } } }";

on_both!(
    a_statement_is_cancelled_when_its_client_hangs_up,
    a_statement_is_cancelled_when_the_request_times_out,
    a_write_is_cancelled_when_its_request_times_out,
    one_principals_statements_leave_connections_to_others,
    one_statement_at_a_time_is_enough_for_reads_and_writes_at_once
);

async fn a_statement_is_cancelled_when_its_client_hangs_up(app: &TestApp) {
    app.session(app.viewer().id(), "slow", app.now()).await;
    let router = app.on(connections(app, 1).await, |limits| limits.request_timeout = NEVER).await;
    make_sessions_slow(app).await;
    for _ in 0..3 {
        let caller = app.admin().at(&router);
        let request = tokio::time::timeout(Duration::from_millis(100), caller.gql(SLOW, json!({})));
        assert!(request.await.is_err(), "it is still running when the client goes away");
        // The one connection is free again, long before the statement timeout.
        answers_soon(app, &router).await;
        nothing_runs(app).await;
    }
    make_sessions_quick(app).await;
    assert_eq!(
        app.admin().at(&router).gql("{ sessions { nodes { title } } }", json!({})).await.data()["sessions"]["nodes"][0]
            ["title"],
        "slow"
    );
}

async fn a_statement_is_cancelled_when_the_request_times_out(app: &TestApp) {
    app.session(app.viewer().id(), "slow", app.now()).await;
    let db = connections(app, 1).await;
    let router = app.on(db, |limits| limits.request_timeout = Duration::from_millis(100)).await;
    make_sessions_slow(app).await;
    assert_eq!(app.admin().at(&router).gql(SLOW, json!({})).await.code(), "TIMEOUT");
    answers_soon(app, &router).await;
    nothing_runs(app).await;
}

async fn a_write_is_cancelled_when_its_request_times_out(app: &TestApp) {
    let db = connections(app, 1).await;
    let router = app.on(db, |limits| limits.request_timeout = Duration::from_millis(200)).await;
    let create = "mutation { createSession(input: {title: \"new\"}) { session { id } } }";
    crate::timeouts::make_audit_slow(app).await;
    assert_eq!(app.admin().at(&router).gql(create, json!({})).await.code(), "TIMEOUT");
    nothing_runs(app).await;
    crate::timeouts::make_audit_quick(app).await;
    let patient = app.on(connections(app, 1).await, |_| {}).await;
    app.admin().at(&patient).gql(create, json!({})).await.data();
    let titles = app.admin().at(&patient).gql("{ sessions { nodes { title } } }", json!({})).await;
    assert_eq!(titles.data()["sessions"]["nodes"], json!([{ "title": "new" }]), "what was cancelled left nothing");
}

async fn one_principals_statements_leave_connections_to_others(app: &TestApp) {
    app.session(app.viewer().id(), "slow", app.now()).await;
    let limits = |limits: &mut guardianeye::config::Limits| {
        limits.request_timeout = NEVER;
        limits.statements_per_principal = 2;
    };
    let router = app.on(connections(app, 3).await, limits).await;
    let analyst = app.analyst().at(&router);
    // Who asks is known from here on.
    analyst.gql("{ me { id } }", json!({})).await.data();
    make_sessions_slow(app).await;
    let slow = join_all((0..5).map(|_| analyst.gql(SLOW, json!({}))));
    let others = async {
        for _ in 0..20 {
            app.admin().at(&router).gql(QUICK, json!({})).await.data();
            assert!(running(app).await <= 2);
        }
    };
    tokio::select! {
        replies = slow => panic!("a slow statement ended: {:?}", replies.first()),
        () = others => {}
    }
    // Those that waited are gone with their requests, and what they had is free.
    analyst.gql(QUICK, json!({})).await.data();
}

async fn one_statement_at_a_time_is_enough_for_reads_and_writes_at_once(app: &TestApp) {
    let limits = |limits: &mut guardianeye::config::Limits| limits.statements_per_principal = 1;
    let router = app.on(connections(app, 2).await, limits).await;
    let create = "mutation { createSession(input: {title: \"one\"}) { session { user { sessions { totalCount nodes { id } } } } } }";
    let nested = "{ node(id: \"018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57\") { id } users { nodes { sessions { nodes { id } } auditLogs { nodes { id } } } } }";
    let admin = app.admin().at(&router);
    let requests = (0..24).map(|n| admin.gql(if n % 2 == 0 { create } else { nested }, json!({})));
    for reply in join_all(requests).await {
        reply.data();
    }
    let count = admin.gql("{ sessions { totalCount } }", json!({})).await;
    assert_eq!(count.data()["sessions"]["totalCount"], 12);
}

async fn connections(app: &TestApp, max_connections: u32) -> Db {
    let settings = Settings {
        max_connections: Some(max_connections),
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Some(NEVER),
        ..Settings::default()
    };
    Db::connect(&app.database.url, settings).await.expect("connects")
}

/// Asks until there is an answer, which takes a connection.
async fn answers_soon(app: &TestApp, router: &Router) {
    let started = Instant::now();
    while !app.admin().at(router).gql(QUICK, json!({})).await.codes().is_empty() {
        assert!(started.elapsed() < NEVER / 2, "the connection did not come back");
    }
}

/// Looks until PostgreSQL runs nothing of the server's any more; of SQLite a connection that answers tells it.
async fn nothing_runs(app: &TestApp) {
    let started = Instant::now();
    while running(app).await > 0 {
        assert!(started.elapsed() < NEVER / 2, "a statement of a request that ended still runs");
    }
}

async fn running(app: &TestApp) -> i64 {
    if app.backend == Backend::Sqlite {
        return 0;
    }
    let mut connection = PgConnection::connect(&app.database.url).await.expect("connects");
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'
         and application_name = 'guardianeye' and wait_event = 'PgSleep'",
    )
    .fetch_one(&mut connection)
    .await
    .expect("counts")
}
