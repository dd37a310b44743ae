//! The errors of opening a database, in the operator's terms. Messages contain neither the URL, which may contain a password,
//! nor the words of a library.

use std::{io::ErrorKind, path::Path, time::Duration};

use sqlx::{
    error::DatabaseError,
    postgres::{PgConnectOptions, PgDatabaseError, PgSslMode},
};

use crate::error::{Error, ErrorCode};

/// The error of a first connection to a PostgreSQL server.
pub(in crate::db) fn postgres(options: &PgConnectOptions, cause: &sqlx::Error) -> Error {
    tracing::debug!(?cause, "no connection to PostgreSQL");
    let reason = match cause {
        sqlx::Error::Database(cause) => refused_by_postgres(options, &**cause),
        sqlx::Error::Io(cause) => unreachable(cause),
        sqlx::Error::Tls(cause) => {
            format!("TLS could not be established as sslmode asks: {cause}; sslrootcert names the authority to trust")
        }
        sqlx::Error::Protocol(_) => "what answers there is no PostgreSQL server".to_owned(),
        // Files named in the URL, such as sslrootcert.
        other => other.to_string(),
    };
    Error::new(
        ErrorCode::Internal,
        format!("cannot connect to the PostgreSQL server at {}: {reason}", address(options)),
    )
}

/// The error of a first connection that was not open in time.
pub(in crate::db) fn postgres_timeout(options: &PgConnectOptions, waited: Duration) -> Error {
    let message =
        format!("cannot connect to the PostgreSQL server at {}: no answer within {waited:?}", address(options));
    Error::new(ErrorCode::Internal, message)
}

/// The address of the server: host and port, or the path of the socket.
pub(in crate::db) fn address(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => folder.join(format!(".s.PGSQL.{}", options.get_port())).display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

fn unreachable(cause: &std::io::Error) -> String {
    match cause.kind() {
        ErrorKind::ConnectionRefused => "connection refused: no server listens there".to_owned(),
        ErrorKind::NotFound => "no server listens on this socket".to_owned(),
        ErrorKind::PermissionDenied => "this user may not open the socket".to_owned(),
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            format!("the host cannot be reached ({})", cause.kind())
        }
        ErrorKind::InvalidData => format!("TLS could not be established: {cause}"),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => "the server closed the connection".to_owned(),
        // Only the name service fails without a code of the operating system; it has its own codes.
        _ if cause.raw_os_error().is_none() => "unknown host: its name cannot be resolved".to_owned(),
        _ => system(cause),
    }
}

/// The operating system's message without its number.
fn system(cause: &std::io::Error) -> String {
    let words = cause.to_string();
    words.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Maps the error codes of PostgreSQL's appendix A. The messages depend on the server's language.
fn refused_by_postgres(options: &PgConnectOptions, cause: &dyn DatabaseError) -> String {
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    // Several errors share a code; the function that reported the error distinguishes them.
    let routine = cause.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine);
    match (cause.code().as_deref(), routine) {
        (Some("28P01"), _) => format!("the password of user \"{user}\" is wrong, or there is no such user"),
        (Some("28000"), Some("InitializeSessionUserId")) => format!("there is no user \"{user}\""),
        (Some("28000"), Some("ClientAuthentication")) => {
            let tls = match options.get_ssl_mode() {
                PgSslMode::Disable | PgSslMode::Allow => "; it may require TLS, which sslmode=require switches on",
                _ => "",
            };
            format!("its pg_hba.conf admits no user \"{user}\" to the database \"{database}\" from here{tls}")
        }
        (Some("3D000"), _) => format!("there is no database \"{database}\": create it first, as by createdb"),
        (Some("42501"), _) => format!("user \"{user}\" may not connect to the database \"{database}\""),
        (Some("53300"), _) => "it has no connection left".to_owned(),
        (Some("57P03"), _) => "it is starting up or shutting down".to_owned(),
        _ => cause.message().to_owned(),
    }
}

/// The error of opening an existing SQLite file.
pub(in crate::db) fn sqlite(file: &Path, cause: &sqlx::Error) -> Error {
    tracing::debug!(?cause, "the SQLite file cannot be opened");
    let reason = match cause {
        sqlx::Error::Database(cause) => refused_by_sqlite(&**cause),
        // Opening waits only for locks.
        sqlx::Error::Io(cause) if cause.kind() == ErrorKind::TimedOut => LOCKED.to_owned(),
        sqlx::Error::Io(cause) => system(cause),
        other => other.to_string(),
    };
    sqlite_because(file, &reason)
}

/// The operating system's error when an SQLite file is looked up or created.
pub(in crate::db) fn sqlite_file(file: &Path, cause: &std::io::Error) -> Error {
    sqlite_because(file, &system(cause))
}

/// The error of an SQLite file, with its reason.
pub(in crate::db) fn sqlite_because(file: &Path, reason: &str) -> Error {
    Error::new(ErrorCode::BadUserInput, format!("cannot open the SQLite file {}: {reason}", file.display()))
}

const LOCKED: &str = "another program keeps it locked";

/// Maps SQLite's primary result codes, which are the low byte of the extended ones.
fn refused_by_sqlite(cause: &dyn DatabaseError) -> String {
    let code = cause.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    match code {
        Some(5 | 6) => LOCKED.to_owned(),
        Some(3 | 8 | 14) => "this user may not read and write the file, or its directory".to_owned(),
        Some(10 | 13) => "the disk is full or fails".to_owned(),
        Some(11) => "it is damaged: restore a backup".to_owned(),
        Some(26) => "it is not an SQLite database".to_owned(),
        _ => cause.message().to_owned(),
    }
}
