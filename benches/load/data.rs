//! The data set: made once by the server's own `db seed`, and before each measurement rid of what the last one left.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::{
    Result,
    jobs::{PASSWORD, UNTIL},
    options::{Database, Options},
    postgres::Cluster,
};

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub users: u32,
    pub sessions: u32,
    pub audit_logs: u32,
}

impl Sizes {
    pub fn of(options: &Options) -> Self {
        let users = options.users;
        Self {
            users,
            sessions: options.sessions.unwrap_or(users.saturating_mul(20)),
            audit_logs: options.audit_logs.unwrap_or(users.saturating_mul(200)),
        }
    }

    pub fn tenth(self) -> Self {
        Self { users: self.users / 10, sessions: self.sessions / 10, audit_logs: self.audit_logs / 10 }
    }

    fn name(self) -> String {
        format!("guardianeye_{}_{}_{}", self.users, self.sessions, self.audit_logs)
    }
}

/// A database with the data set in it.
#[derive(Debug)]
pub struct Data {
    pub url: String,
    pub name: String,
}

/// Later than this is nothing of the data set.
macro_rules! leftovers {
    () => {
        "delete from audit_logs where timestamp > '2026-01-02'; delete from sessions where created_at > '2026-01-02';
         delete from auth_sessions; delete from login_throttles; delete from idempotency_keys;"
    };
}

impl Data {
    /// Makes it unless it is there, brings its tables up to date, and removes leftovers.
    pub async fn open(dir: &Path, binary: &Path, sizes: Sizes, cluster: Option<&Cluster>) -> Result<Self> {
        let name = sizes.name();
        let file = dir.join(format!("{name}.db"));
        let url = match cluster {
            Some(cluster) => {
                create_database(cluster, &name).await?;
                cluster.url(&name)
            }
            None => format!("sqlite:{}", file.display()),
        };
        let database = if cluster.is_some() { Database::Postgres } else { Database::Sqlite };
        let quiet = Command::new(binary)
            .args(["db", "init"])
            .env("DATABASE_URL", &url)
            .env("GUARDIANEYE_ADMIN_PASSWORD", PASSWORD)
            .output()?;
        if !quiet.status.success() {
            let (out, error) = (String::from_utf8_lossy(&quiet.stdout), String::from_utf8_lossy(&quiet.stderr));
            return Err(format!("`guardianeye db init` failed:\n{out}{error}").into());
        }
        // The command does nothing a second time, but takes a while to see that.
        let done = complete(dir, &name, database);
        if !done.exists() {
            eprintln!("making the data set {name} on {}, once", database.name());
            let status = Command::new(binary)
                .args(["db", "seed", "--until", UNTIL])
                .args(["--users", &sizes.users.to_string(), "--sessions", &sizes.sessions.to_string()])
                .args(["--audit-logs", &sizes.audit_logs.to_string()])
                .env("DATABASE_URL", &url)
                .stdout(std::io::stderr())
                .status()?;
            if !status.success() {
                return Err("`guardianeye db seed` failed".into());
            }
            if let Some(cluster) = cluster {
                let mut connection = cluster.connect(&name).await?;
                sqlx::raw_sql("vacuum analyze").execute(&mut connection).await?;
                sqlx::raw_sql("checkpoint").execute(&mut connection).await?;
                connection.close().await?;
            }
            fs::write(&done, "")?;
        }
        sweep(&url, cluster, &name).await?;
        Ok(Self { url, name })
    }
}

/// The file that says that the data set was made.
fn complete(dir: &Path, name: &str, database: Database) -> PathBuf {
    // It lies with the cluster, so that it goes with it.
    let place = if database == Database::Postgres { "postgres" } else { "." };
    dir.join(place).join(format!("{name}.{}-complete", database.name().to_lowercase()))
}

async fn create_database(cluster: &Cluster, name: &str) -> Result<()> {
    let mut connection = cluster.connect("postgres").await?;
    let there = sqlx::query_scalar::<_, bool>("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await?;
    if !there {
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}

async fn sweep(url: &str, cluster: Option<&Cluster>, name: &str) -> Result<()> {
    if let Some(cluster) = cluster {
        let mut connection: PgConnection = cluster.connect(name).await?;
        let swept = sqlx::raw_sql(leftovers!()).execute(&mut connection).await?;
        if swept.rows_affected() > 0 {
            sqlx::raw_sql("vacuum").execute(&mut connection).await?;
        }
        connection.close().await?;
    } else {
        let mut connection = SqliteConnection::connect(url).await?;
        sqlx::raw_sql(leftovers!()).execute(&mut connection).await?;
        sqlx::raw_sql("pragma wal_checkpoint(truncate)").execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}
