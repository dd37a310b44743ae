//! Opens the database that a URL names, with the settings that this server relies on.

use std::{io::ErrorKind, net::IpAddr, path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::time::timeout;

use super::{connect_error, connections::Connections, deadline::Deadline, statement_permits::Statements};
use crate::{
    db::{Db, Pools, auth_generation::AuthGeneration, dialect::cancel::Canceller},
    error::{Error, ErrorCode, Result},
};

/// Rows that SQLite reads ahead of us: one may hold a whole page.
const ROWS_AHEAD: usize = 8;

/// How the connections behave.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Connections at most; on SQLite the readers, beside which there is one writer. 16 when absent, 8 readers on SQLite,
    /// where each keeps pages and statements of its own.
    pub max_connections: Option<u32>,
    /// How long to wait for a free connection, and for the database to answer at all.
    pub acquire_timeout: Duration,
    /// After how long a statement is stopped; `None` lets it run (migrations, seeding).
    pub statement_timeout: Option<Duration>,
    /// Whether a missing SQLite file is made, with its folder. Only what prepares a database asks for it.
    pub create: bool,
}

impl Default for Settings {
    /// For commands: few connections, no statement timeout, and a database that is there.
    fn default() -> Self {
        Self {
            max_connections: Some(4),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: None,
            create: false,
        }
    }
}

impl Db {
    /// Connects to `sqlite:PATH` or `postgres://..`.
    /// A URL that names no database we know, or a database that does not answer, is an error that says so without
    /// showing the URL, which may hold a password.
    pub async fn connect(url: &str, settings: Settings) -> Result<Self> {
        // What stands before a colon in something that is no URL may be a secret.
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        let scheme = if scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') { scheme } else { "" };
        let pools = match scheme {
            "sqlite" => sqlite(url, settings).await?,
            "postgres" | "postgresql" => postgres(url, settings).await?,
            other => {
                return Err(setting_error(format!(
                    "the database URL must begin with sqlite: or postgres://, not with {other:?}"
                )));
            }
        };
        Ok(Self {
            pools,
            meter: Arc::default(),
            auth_generation: AuthGeneration::default(),
            statements: Statements::default(),
        })
    }
}

async fn sqlite(url: &str, settings: Settings) -> Result<Pools> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|cause| setting_error(format!("the SQLite URL is not valid: {}", configuration(&cause))))?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(setting_error(
            "an in-memory SQLite database is private to one connection and cannot be served: name a file".to_owned(),
        ));
    }
    let file = options.get_filename().to_owned();
    if settings.create {
        create_file(&file).map_err(|cause| connect_error::sqlite_file(&file, &cause))?;
    }
    find_file(&file)?;
    let options = options
        .foreign_keys(true)
        .with_regexp()
        .busy_timeout(settings.acquire_timeout)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("temp_store", "memory")
        .disable_statement_logging();
    let pool = || {
        let deadline = settings.statement_timeout.map(Deadline::new);
        let options = pool_options(settings, 8);
        (if deadline.is_some() { Deadline::watch(options) } else { options }, deadline)
    };
    let (writer, writer_deadline) = pool();
    let writer = writer
        .max_connections(1)
        .connect_with(
            // An audit entry that was answered for has to survive a power cut: FULL waits for the disk at each commit.
            options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full),
        )
        .await
        .map_err(|cause| connect_error::sqlite(&file, &cause))?;
    let (readers, readers_deadline) = pool();
    let readers = readers
        .connect_with(options.pragma("query_only", "on"))
        .await
        .map_err(|cause| connect_error::sqlite(&file, &cause))?;
    Ok(Pools::Sqlite {
        readers: Connections::new(readers, readers_deadline),
        writer: Connections::new(writer, writer_deadline),
    })
}

/// Refuses a file that is not there, which SQLite would tell in words that name no file. It is only looked at, see
/// [`create_file`].
fn find_file(file: &Path) -> Result<()> {
    let full = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match std::fs::metadata(&full) {
        Ok(found) if found.is_dir() => Err(connect_error::sqlite_because(&full, "it is a directory")),
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Err(Error::new(
            ErrorCode::NotFound,
            format!("there is no database {}: `guardianeye db init` or `guardianeye serve` makes it", full.display()),
        )),
        Err(cause) => Err(connect_error::sqlite_file(&full, &cause)),
    }
}

/// Makes a missing file before SQLite would, for the owner's eyes only: it holds password hashes and signing keys, and
/// SQLite gives its side files the same mode. A missing folder is made, too.
///
/// A file that is there is not touched. Opening and closing it here would end the locks that this process holds on it
/// (POSIX), and with them the safety of the write-ahead log.
fn create_file(file: &Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => Err(cause),
        _ => Ok(()),
    }
}

async fn postgres(url: &str, settings: Settings) -> Result<Pools> {
    let mut options = PgConnectOptions::from_str(url)
        .map_err(|cause| setting_error(format!("the PostgreSQL URL is not valid: {}", configuration(&cause))))?
        .application_name("guardianeye")
        .disable_statement_logging();
    if let Some(timeout) = settings.statement_timeout {
        // What a server asks takes milliseconds. PostgreSQL takes counting by index for long work, and would spend tens of
        // them on compiling it.
        options = options.options([("statement_timeout", &*timeout.as_millis().to_string()), ("jit", "off")]);
    }
    if is_unverified(&options) {
        tracing::warn!(
            server = connect_error::address(&options),
            "nobody checks that this is the right database server, or keeps others from reading along: sslmode=verify-full in \
             the database URL does"
        );
    }
    // The pool would try again for seconds before it says that nobody listens, and then not say it.
    let first = timeout(settings.acquire_timeout, options.connect())
        .await
        .map_err(|_| connect_error::postgres_timeout(&options, settings.acquire_timeout))?
        .map_err(|cause| connect_error::postgres(&options, &cause))?;
    // Whatever becomes of it: its like could be opened.
    drop(first.close().await);
    let canceller = Canceller::new(options.clone(), settings.acquire_timeout);
    let pool = pool_options(settings, 16).connect_lazy_with(options);
    Ok(Pools::Postgres(Connections::new(pool, canceller)))
}

/// Whether the way leads to another machine without a certificate that is checked.
fn is_unverified(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let this_machine = host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        || options.get_socket().is_some();
    !this_machine && !matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull)
}

fn pool_options<DB: sqlx::Database>(settings: Settings, max_connections: u32) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(settings.max_connections.unwrap_or(max_connections))
        .acquire_timeout(settings.acquire_timeout)
}

fn setting_error(message: String) -> Error {
    Error::new(ErrorCode::BadUserInput, message)
}

/// What is wrong with a URL, without the library's words around it.
fn configuration(cause: &sqlx::Error) -> String {
    match cause {
        // One within the other.
        sqlx::Error::Configuration(cause) => cause.downcast_ref().map_or_else(|| cause.to_string(), configuration),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_has_to_show_a_certificate() {
        for (url, unverified) in [
            ("postgres://a:b@db.example.com/x", true),
            ("postgres://a:b@10.0.0.7/x?sslmode=require", true),
            ("postgres://a:b@db.example.com/x?sslmode=verify-full", false),
            ("postgres://a:b@db.example.com/x?sslmode=verify-ca", false),
            ("postgres://a:b@localhost/x?sslmode=disable", false),
            ("postgres://a:b@127.0.0.1/x", false),
            ("postgres://a:b@[::1]/x", false),
            ("postgres://a@%2Frun%2Fpostgresql/x", false),
        ] {
            assert_eq!(is_unverified(&url.parse().expect("a URL")), unverified, "{url}");
        }
    }

    #[tokio::test]
    async fn sqlite_is_built_without_locks_that_all_connections_share() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let Db { pools: Pools::Sqlite { readers, .. }, .. } =
            Db::connect(&url, Settings { create: true, ..Settings::default() }).await.expect("connects")
        else {
            panic!("it is SQLite")
        };
        let mut reader = readers.lease().await.expect("a connection");
        let options: Vec<String> =
            sqlx::query_scalar("pragma compile_options").fetch_all(&mut *reader).await.expect("options");
        assert!(
            !options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"),
            "see .cargo/config.toml: {options:?}"
        );
    }
}
