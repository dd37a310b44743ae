//! The tables: the seed's, with its indexes and foreign keys, on both databases; and every statement over them.

use std::{collections::BTreeSet, path::Path};

use guardianeye::{
    db::{Db, list},
    model::{AuditLog, Session},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

use crate::support::{Backend, Database, TestApp, on_both};

/// The eleven of the seed. On PostgreSQL primary keys are named `.._pkey`, on SQLite `sqlite_autoindex_.._1`.
const SEED_INDEXES: [&str; 8] = [
    "ix_audit_logs_action",
    "ix_audit_logs_ip_address",
    "ix_audit_logs_timestamp",
    "ix_audit_logs_user_id",
    "ix_sessions_thread_id",
    "ix_sessions_user_id",
    "ix_users_email",
    "ix_users_username",
];

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |backend: Backend| -> BTreeSet<String> {
        std::fs::read_dir(backend.migrations())
            .expect("the folder")
            .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
            .collect()
    };
    assert_eq!(names(Backend::Sqlite), names(Backend::Postgres));
}

on_both!(
    the_tables_and_the_eleven_indexes_of_the_seed_are_there,
    deleting_a_user_deletes_the_sessions_and_keeps_the_audit_logs,
    every_statement_in_the_source_can_be_prepared,
    a_bad_enum_word_or_an_orphan_is_refused_by_the_database_itself
);

async fn the_tables_and_the_eleven_indexes_of_the_seed_are_there(app: &TestApp) {
    assert_eq!(
        app.db().tables().await.expect("tables"),
        [
            "api_tokens",
            "audit_logs",
            "auth_sessions",
            "idempotency_keys",
            "known_networks",
            "login_throttles",
            "refresh_tokens",
            "server_secrets",
            "sessions",
            "signing_keys",
            "users",
        ]
    );
    let indexes = app.db().indexes().await.expect("indexes");
    for table in ["audit_logs", "sessions", "users"] {
        let key = [format!("{table}_pkey"), format!("sqlite_autoindex_{table}_1")];
        assert!(indexes.iter().any(|index| key.contains(index)), "{table}: {indexes:?}");
    }
    for index in SEED_INDEXES {
        assert!(indexes.iter().any(|found| found == index), "{index}: {indexes:?}");
    }
}

async fn deleting_a_user_deletes_the_sessions_and_keeps_the_audit_logs(app: &TestApp) {
    let user = app.user("gone", guardianeye::model::Role::Viewer, app.now()).await;
    let session = app.session(user.id, "gone", app.now()).await;
    let log = app.audit_log(Some(user.id), app.now()).await;
    app.execute(&format!("delete from users where id = '{}'", user.id)).await;
    assert!(list::by_ids::<Session>(app.db(), &[session.id.into()]).await.expect("asks").is_empty());
    let logs = list::by_ids::<AuditLog>(app.db(), &[log.id.into()]).await.expect("asks");
    assert_eq!((logs.len(), logs[0].user_id), (1, None));
}

async fn every_statement_in_the_source_can_be_prepared(app: &TestApp) {
    let statements = statements();
    assert!(statements.len() > 10, "{statements:#?}");
    for statement in statements {
        let done = match app.backend {
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(&app.database.url).await.expect("opens");
                connection.prepare(AssertSqlSafe(&*statement).into_sql_str()).await.map(drop)
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&app.database.url).await.expect("connects");
                connection.prepare(AssertSqlSafe(&*statement).into_sql_str()).await.map(drop)
            }
        };
        if let Err(cause) = done {
            panic!("{:?} does not take this statement: {cause}\n{statement}", app.backend);
        }
    }
}

async fn a_bad_enum_word_or_an_orphan_is_refused_by_the_database_itself(app: &TestApp) {
    let (id, now) = (uuid::Uuid::nil(), app.now());
    for statement in [
        format!("insert into audit_logs (id, action, timestamp) values ('{id}', 'danced', '{now}')"),
        format!(
            "insert into users (id, username, email, hashed_password, role, created_at, updated_at)
                values ('{id}', 'x', 'x', 'x', 'owner', '{now}', '{now}')"
        ),
        format!("insert into sessions (id, user_id, created_at, updated_at) values ('{id}', '{id}', '{now}', '{now}')"),
    ] {
        assert!(app.try_execute(&statement).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn several_processes_may_migrate_one_file_at_once() {
    at_once(Backend::Sqlite).await;
}

#[tokio::test]
async fn several_processes_may_migrate_one_postgres_at_once() {
    at_once(Backend::Postgres).await;
}

async fn at_once(backend: Backend) {
    let database = Database::empty(backend).await;
    let mut dbs: Vec<Db> = Vec::new();
    for _ in 0..4 {
        dbs.push(database.connect().await);
    }
    assert!(!dbs[0].is_migrated().await.expect("asks"));
    let done = futures_util::future::join_all(dbs.iter().map(Db::migrate)).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert!(dbs[0].is_migrated().await.expect("asks"));
    dbs[1].migrate().await.expect("a second time changes nothing");
    for db in dbs {
        db.close().await;
    }
    database.remove().await;
}

/// All fixed statements in `src/db`, out of the source: whatever string literal begins like one and is whole. What is
/// put together from pieces, and the texts of `dialect` that are for one database each, are run by the other tests.
fn statements() -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db")).expect("the folder") {
        let file = file.expect("a file").path();
        if file.file_name().is_some_and(|name| name == "dialect.rs") || file.extension().is_none() {
            continue;
        }
        let source = std::fs::read_to_string(&file).expect("readable");
        for literal in source.split('"').skip(1).step_by(2) {
            let words: Vec<_> = literal.split_whitespace().take(2).collect();
            let whole = !literal.ends_with(' ') && !literal.contains('{');
            if whole && words.len() == 2 && matches!(words[0], "select" | "insert" | "update" | "delete") {
                found.push(literal.to_owned());
            }
        }
    }
    found
}
