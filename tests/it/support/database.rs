//! Fresh databases: a file in a temporary folder, or a database on the test server copied from a migrated template.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU32, Ordering},
};

use guardianeye::db::{Db, Settings};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Which kind of database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// The folder of its migrations.
    pub fn migrations(self) -> &'static str {
        match self {
            Self::Sqlite => concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite"),
            Self::Postgres => concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres"),
        }
    }
}

/// A database that is gone when the test is over.
pub struct Database {
    pub url: String,
    name: Option<String>,
    _folder: Option<TempDir>,
}

impl Database {
    /// Without tables.
    pub async fn empty(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::file(),
            Backend::Postgres => Self::create("template0").await,
        }
    }

    /// With the tables of this version.
    pub async fn migrated(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let database = Self::file();
                let db = database.connect().await;
                db.migrate().await.expect("migrations run");
                db.close().await;
                database
            }
            Backend::Postgres => Self::create(template().await).await,
        }
    }

    fn file() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self { url, name: None, _folder: Some(folder) }
    }

    async fn create(template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("guardianeye_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        admin(&format!("drop database if exists {name} with (force)")).await;
        admin(&format!("create database {name} template {template}")).await;
        Self { url: on_server(&name), name: Some(name), _folder: None }
    }

    pub async fn connect(&self) -> Db {
        let settings = Settings { create: true, ..Settings::default() };
        Db::connect(&self.url, settings).await.expect("the test database answers")
    }

    /// Removes what a temporary folder does not.
    pub async fn remove(self) {
        if let Some(name) = &self.name {
            admin(&format!("drop database if exists {name} with (force)")).await;
        }
    }
}

/// The server for tests. Without one the tests fail: `make test` starts one, and a skipped test proves nothing.
#[expect(clippy::disallowed_methods, reason = "the test command speaks to the tests by this variable")]
fn server() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("TEST_DATABASE_URL is not set: run the tests by `make test`, which starts a PostgreSQL for them")
    })
}

/// The URL of another database on the test server.
fn on_server(name: &str) -> String {
    let url = server();
    let (url, query) = url.split_once('?').map_or((url.as_str(), None), |(url, query)| (url, Some(query)));
    let authority = url.find("://").map_or(0, |at| at + 3);
    let base = url[authority..].find('/').map_or(url, |at| &url[..authority + at]);
    query.map_or_else(|| format!("{base}/{name}"), |query| format!("{base}/{name}?{query}"))
}

async fn admin(statement: &str) {
    let mut connection = PgConnection::connect(&server()).await.expect("the PostgreSQL of TEST_DATABASE_URL answers");
    connection.execute(AssertSqlSafe(statement)).await.expect(statement);
    connection.close().await.expect("closes");
}

/// A migrated database to copy from, named after the migrations' text and kept on the server for the next run.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let mut hasher = DefaultHasher::new();
            let mut files: Vec<_> = std::fs::read_dir(Backend::Postgres.migrations())
                .expect("the migrations' folder")
                .map(|file| file.expect("a file").path())
                .collect();
            files.sort();
            for file in files {
                std::fs::read(file).expect("a migration").hash(&mut hasher);
            }
            let name = format!("guardianeye_template_{:016x}", hasher.finish());
            let mut connection = PgConnection::connect(&server()).await.expect("the test server answers");
            let there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
                .bind(&name)
                .fetch_one(&mut connection)
                .await
                .expect("asks");
            if !there {
                let building = Database::create("template0").await;
                let db = building.connect().await;
                db.migrate().await.expect("migrations run");
                db.close().await;
                let from = building.name.as_deref().expect("a PostgreSQL database has a name");
                // Another run may have been quicker.
                let _ = connection.execute(AssertSqlSafe(format!("alter database {from} rename to {name}"))).await;
            }
            connection.close().await.expect("closes");
            name
        })
        .await
}
