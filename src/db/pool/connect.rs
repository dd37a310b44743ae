//! Connects to the database of a URL, with the settings that this program needs.

use std::{io::ErrorKind, net::IpAddr, path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::time::timeout;

use super::{Pool, StatementPermits, connect_error, postgres::PgConnector, sqlite::SqliteConnector};
use crate::{
    db::{Db, Pools, auth_generation::AuthGeneration},
    error::{Error, ErrorCode, Result},
};

/// The number of rows that SQLite's thread reads ahead. One row may hold a whole page.
const ROWS_AHEAD: usize = 8;

/// The settings of the connections.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The maximum number of connections; on SQLite of reading connections, in addition to the one that writes. By default 16,
    /// on SQLite 8, where each has its own cache of pages and statements.
    pub max_connections: Option<u32>,
    /// The time for a connection to become free, and the time for the database to answer when one is opened.
    pub acquire_timeout: Duration,
    /// The time after which a statement is stopped; `None` for no limit (migrations, seeding).
    pub statement_timeout: Option<Duration>,
    /// Creates a missing SQLite file and its folder. Only commands that prepare a database set it.
    pub create: bool,
}

impl Default for Settings {
    /// For commands: few connections, no statement timeout, and a database that exists.
    fn default() -> Self {
        Self {
            max_connections: Some(4),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: None,
            create: false,
        }
    }
}

impl Settings {
    fn max_connections(self, default: u32) -> usize {
        self.max_connections.unwrap_or(default) as usize
    }
}

impl Db {
    /// Connects to `sqlite:PATH` or `postgres://..`.
    /// Returns an error for an unknown kind of database and for one that does not answer. The message does not contain the URL,
    /// which may contain a password.
    pub async fn connect(url: &str, settings: Settings) -> Result<Self> {
        // If the text is not a URL, the part before the colon may be a secret.
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
            statement_permits: StatementPermits::default(),
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
    let open = async |options, max_connections| {
        let connector = SqliteConnector { options, statement_timeout: settings.statement_timeout };
        let pool = Pool::new(connector, max_connections, settings.acquire_timeout);
        // The first connection shows now whether the file can be opened.
        drop(pool.acquire().await.map_err(|cause| connect_error::sqlite(&file, &cause))?);
        Ok::<_, Error>(pool)
    };
    // An audit log entry of an acknowledged change must survive a power failure: FULL waits for the disk at each commit.
    let durable = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let writer = open(durable, 1).await?;
    let readers = open(options.pragma("query_only", "on"), settings.max_connections(8)).await?;
    Ok(Pools::Sqlite { readers, writer })
}

/// Returns an error if the file is missing. SQLite's own message would not name it. The file is not opened, see
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

/// Creates a missing file, readable only by its owner: it contains password hashes and signing keys, and SQLite gives its
/// other files the same mode. Creates a missing folder too.
///
/// An existing file is not opened. Closing it here would release the POSIX locks that this process holds on it, and the
/// write-ahead log relies on them.
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
        // The server's statements take milliseconds. PostgreSQL overestimates the cost of counting by index, and JIT compilation
        // would take tens of milliseconds.
        options = options.options([("statement_timeout", &*timeout.as_millis().to_string()), ("jit", "off")]);
    }
    if is_unverified(&options) {
        tracing::warn!(
            server = connect_error::address(&options),
            "the identity of the database server is not verified and the connection may be read by others: set \
             sslmode=verify-full in the database URL"
        );
    }
    // Not through the pool, which would try again for seconds where no server listens.
    let first = timeout(settings.acquire_timeout, options.connect())
        .await
        .map_err(|_| connect_error::postgres_timeout(&options, settings.acquire_timeout))?
        .map_err(|cause| connect_error::postgres(&options, &cause))?;
    drop(first.close().await);
    let connector = PgConnector::new(options, settings.acquire_timeout);
    Ok(Pools::Postgres(Pool::new(connector, settings.max_connections(16), settings.acquire_timeout)))
}

/// Returns true if the server is on another machine and its certificate is not verified.
fn is_unverified(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let this_machine = host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        || options.get_socket().is_some();
    !this_machine && !matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull)
}

fn setting_error(message: String) -> Error {
    Error::new(ErrorCode::BadUserInput, message)
}

/// The reason why a URL is not valid, without the words that sqlx puts around it.
fn configuration(cause: &sqlx::Error) -> String {
    match cause {
        // sqlx nests these errors.
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
        let mut reader = readers.acquire().await.expect("a connection");
        let options: Vec<String> =
            sqlx::query_scalar("pragma compile_options").fetch_all(reader.raw()).await.expect("options");
        assert!(
            !options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"),
            "see .cargo/config.toml: {options:?}"
        );
    }
}
