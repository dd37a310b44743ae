//! `db search-index`: indexes for searching, on demand.

use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{Backend, TestApp, naive, on_both};

on_both!(the_indexes_come_and_go_and_change_no_answer);

async fn the_indexes_come_and_go_and_change_no_answer(app: &TestApp) {
    naive::fill(app).await;
    let before = answers(app).await;
    let indexes = app.db().indexes().await.expect("indexes");
    for (arguments, state) in [(&[][..], "made"), (&[], "found"), (&["--drop"], "dropped"), (&["--drop"], "absent")] {
        let output = run(&app.database.url, &[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let states: Vec<_> =
            report["indexes"].as_array().expect("indexes").iter().map(|index| &index["state"]).collect();
        match app.backend {
            Backend::Sqlite => assert!(states.is_empty(), "{report}"),
            Backend::Postgres => assert_eq!(states, [state; 9], "{report}"),
        }
        assert_eq!(answers(app).await, before, "{arguments:?}");
    }
    assert_eq!(app.db().indexes().await.expect("indexes"), indexes);
    let text = String::from_utf8(run(&app.database.url, &[]).stdout).expect("text");
    match app.backend {
        Backend::Sqlite => assert!(text.contains("SQLite has no search indexes"), "{text}"),
        Backend::Postgres => assert!(text.contains("✓ ix_search_sessions_title created in"), "{text}"),
    }
}

#[tokio::test]
async fn searches_are_answered_by_the_indexes() {
    TestApp::run(Backend::Postgres, async |app| {
        assert!(run(&app.database.url, &[]).status.success());
        let mut connection = PgConnection::connect(&app.database.url).await.expect("connects");
        // So few rows are quicker to read than any index.
        sqlx::query("set enable_seqscan = off").execute(&mut connection).await.expect("sets");
        for (table, column, condition) in [
            ("audit_logs", "description", "t.description collate \"C\" ilike '%word%'"),
            ("audit_logs", "user_agent", "t.user_agent collate \"C\" ilike '%word%'"),
            ("audit_logs", "details", &contains("t.details")),
            ("sessions", "title", "t.title collate \"C\" ilike '%word%'"),
            ("sessions", "thread_id", "t.thread_id collate \"C\" ilike 'word%'"),
            ("sessions", "context", &contains("t.context")),
            ("users", "username", "t.username collate \"C\" ilike '%word%'"),
            ("users", "email", "t.email collate \"C\" ilike '%word%'"),
            ("users", "full_name", "t.full_name collate \"C\" ilike '%word%'"),
        ] {
            let text = format!("explain select t.* from {table} t where {condition}");
            let plan: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(&mut connection).await.expect("plans");
            let index = format!("ix_search_{table}_{column}");
            assert!(plan.iter().any(|line| line.contains(&index)), "{index}: {plan:#?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_an_interrupted_run_left_is_made_anew() {
    TestApp::run(Backend::Postgres, async |app| {
        assert!(run(&app.database.url, &[]).status.success());
        app.execute("update pg_index set indisvalid = false where indexrelid = 'ix_search_sessions_title'::regclass")
            .await;
        let report: Value = serde_json::from_slice(&run(&app.database.url, &["--json"]).stdout).expect("JSON");
        let made: Vec<_> =
            report["indexes"].as_array().expect("indexes").iter().filter(|index| index["state"] == "made").collect();
        assert_eq!((made.len(), &made[0]["name"]), (1, &json!("ix_search_sessions_title")));
    })
    .await;
}

#[tokio::test]
async fn without_the_extension_json_is_indexed_and_the_rest_told() {
    TestApp::run(Backend::Postgres, async |app| {
        let role = format!("guardianeye_plain_{}", std::process::id());
        app.execute(&format!("create role {role}")).await;
        app.execute(&format!("grant usage, create on schema public to {role}")).await;
        app.execute(&format!("grant select on _sqlx_migrations to {role}")).await;
        for table in ["users", "sessions", "audit_logs"] {
            app.execute(&format!("alter table {table} owner to {role}")).await;
        }
        let url = &app.database.url;
        let url = format!("{url}{}options[role]={role}", if url.contains('?') { '&' } else { '?' });
        let output = run(&url, &["--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((output.status.code(), &report["ok"]), (Some(1), &json!(false)), "{report}");
        assert!(report["error"].as_str().expect("a reason").contains("pg_trgm cannot be created"), "{report}");
        let states: Vec<_> =
            report["indexes"].as_array().expect("indexes").iter().map(|index| &index["state"]).collect();
        assert_eq!(
            states,
            ["made", "made", "skipped", "skipped", "skipped", "skipped", "skipped", "skipped", "skipped"]
        );
        for text in ["reassign owned by {} to current_user", "drop owned by {}", "drop role {}"] {
            app.execute(&text.replace("{}", &role)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_index_of_an_older_version_is_made_anew() {
    TestApp::run(Backend::Postgres, async |app| {
        app.execute("create index ix_search_sessions_context on sessions using gin ((context::jsonb) jsonb_path_ops)")
            .await;
        let states = || {
            let report: Value = serde_json::from_slice(&run(&app.database.url, &["--json"]).stdout).expect("JSON");
            let indexes = report["indexes"].as_array().expect("indexes").clone();
            indexes.into_iter().map(|index| (index["name"].clone(), index["state"].clone())).collect::<Vec<_>>()
        };
        assert!(states().iter().all(|(_, state)| state == "made"));
        assert!(states().iter().all(|(_, state)| state == "found"));
        app.execute("drop index ix_search_sessions_context").await;
        app.execute("create index ix_search_sessions_context on sessions using gin ((context::jsonb) jsonb_path_ops)")
            .await;
        let made: Vec<_> = states().into_iter().filter(|(_, state)| state == "made").collect();
        assert_eq!(made, [(json!("ix_search_sessions_context"), json!("made"))]);
    })
    .await;
}

/// What `contains` asks PostgreSQL: the expression has to be the index's.
fn contains(column: &str) -> String {
    let jsonb = r"case when strpos(C::text, '\u') = 0
        or strpos(C::text, '\u0000') + strpos(C::text, '\ud') + strpos(C::text, '\uD') = 0
        or C::text ~ '^([^\\]|\\[^u]|\\u(?!0000|[dD][89a-fA-F])....|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*$'
        then C::jsonb end";
    format!("{} @> '{{\"a\": 1}}'::jsonb", jsonb.replace("C::", &format!("{column}::")))
}

async fn answers(app: &TestApp) -> Value {
    let query = "{ sessions(filter: {or: [{title: {contains: \"a\"}}, {threadId: {startsWith: \"100\"}}, {context: {contains: {a: 1}}}]}) { nodes { id } }
        auditLogs(filter: {or: [{description: {contains: \"per cent\"}}, {userAgent: {contains: \"%\"}}, {details: {contains: [1]}}]}) { nodes { id } }
        users(filter: {search: \"mall\"}) { nodes { id } } }";
    app.admin().gql(query, json!({})).await.data().clone()
}

fn run(url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_guardianeye"))
        .args(["db", "search-index"])
        .args(arguments)
        .env("DATABASE_URL", url)
        .output()
        .expect("runs")
}
