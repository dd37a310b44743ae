//! The commands `db` and `keys`, with their arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::SecretString;

use super::PasswordArgs;
use crate::model::Timestamp;

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Replace the active signing key
    ///
    /// Running servers sign with the new key within 5 seconds. Tokens of the old key remain valid until they expire, for at most
    /// 15 minutes. After that the old key is invalid, regardless of the times in a token, and the next rotation deletes it.
    Rotate {
        /// Revoke all earlier keys after a leak: servers reject their tokens within 5 seconds
        ///
        /// Login sessions continue: clients obtain a new access token with their refresh token. API tokens are not affected.
        /// Programs that verify access tokens with `/.well-known/jwks.json` cache the keys for up to one minute.
        #[arg(long)]
        revoke_now: bool,

        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the keys, newest first, without the private keys
    List {
        /// Print the keys as one JSON array
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Create the tables, or adopt those of an older GuardianEye, and create the first admin if there are no users
    ///
    /// The command adopts the PostgreSQL tables of the Python program (SQLAlchemy) in one transaction and without changing a
    /// row: it renames enum values to those of the server and adds defaults and indexes. If a table differs from the expected
    /// form, the command lists the differences, changes nothing and returns the exit code 1, also in a dry run.
    #[command(after_help = super::secrets::ADMIN_PASSWORD_HELP)]
    Init(DbInitArgs),
    /// Test the database end to end with temporary rows
    ///
    /// The seven steps are tables, connection, user, session, audit log, relationships and cascade delete. The first step
    /// creates missing tables. It migrates outdated tables on SQLite, as `serve` does, but fails on PostgreSQL. It does not
    /// create a missing SQLite file. The test neither changes nor locks existing rows.
    ///
    /// The exit code is 0 if every step passed and the temporary rows are deleted, otherwise 1.
    Check {
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Copy the SQLite database into one new file while the server runs
    ///
    /// The copy is a snapshot of the database at the start of the command. Its mode is 0600, and it has its name only when it is
    /// complete. The command does not overwrite an existing file. To restore a backup, stop the server, replace the database
    /// file, remove the old `-wal` and `-shm` files, and run `db check`. On PostgreSQL use `pg_dump`.
    Backup(BackupArgs),
    /// Insert demo data or, with --users, a large data set for trials and benchmarks
    ///
    /// The demo data are the users admin, analyst and viewer, each with the username as the password, and sample sessions and
    /// audit log entries. The command does not change existing users.
    ///
    /// The large data set has the given numbers of rows, a few users owning many of them. Its users cannot log in. The command
    /// locks the tables on PostgreSQL, and blocks writes on SQLite.
    ///
    /// Both insert only missing rows, in one transaction, so the command can be repeated.
    Seed(SeedArgs),
    /// Create search indexes on PostgreSQL, for `contains` and `startsWith` on text and for `contains` on JSON
    ///
    /// Without these indexes a search for a rare value reads the whole table. They take space and slow down writes, so they are
    /// optional. The text indexes need the extension `pg_trgm`, which is part of PostgreSQL; if it cannot be created, the command
    /// creates only the JSON indexes. It does not lock the tables, keeps valid indexes, and rebuilds those of an interrupted run.
    /// SQLite has no such indexes.
    ///
    /// The exit code is 0 if all indexes exist (with --drop: none), otherwise 1.
    SearchIndex(SearchIndexArgs),
}

#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The backup file; it must not exist
    pub file: PathBuf,
    /// Print the result as one JSON object, without progress
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct SearchIndexArgs {
    /// Drop the indexes; the extension remains
    #[arg(long)]
    pub drop: bool,
    /// Print the result as one JSON object, without progress
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct InitArgs {
    /// The password of the first admin; the default is `admin`. It comes from the environment or a file, never from an
    /// argument, and must comply with the password policy.
    #[arg(skip)]
    pub admin_password: Option<SecretString>,
}

#[derive(Args, Debug)]
pub struct DbInitArgs {
    /// Print the changes, and any obstacles, without changing anything
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub init: InitArgs,

    #[command(flatten)]
    pub password: PasswordArgs,
}

#[derive(Args, Debug)]
pub struct SeedArgs {
    /// The number of users in the large data set [at most 10 million]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub users: Option<u64>,
    /// The total number of sessions [at most 100 million]
    #[arg(long, value_name = "N", requires = "users", value_parser = clap::value_parser!(u64).range(..=100_000_000))]
    pub sessions: Option<u64>,
    /// The total number of audit log entries [at most 1,000 million]
    #[arg(long, value_name = "N", requires = "users", value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    pub audit_logs: Option<u64>,
    /// The latest time in the data (RFC 3339); the same time and number of users produce identical data [default: now; for the
    /// demo data, the start of the current hour]
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub until: Option<Timestamp>,
    /// Print the result as one JSON object, without progress
    #[arg(long)]
    pub json: bool,
}

/// Restricts the time to years that both databases can store and sort, including three years of data before it.
fn until(text: &str) -> Result<Timestamp, String> {
    let at: Timestamp = text.parse().map_err(|cause| format!("{cause}; an example is 2025-01-31T12:00:00Z"))?;
    if ("1970-01-01"..="9999").contains(&at.to_string().as_str()) {
        return Ok(at);
    }
    Err("the time must be between the years 1970 and 9998".to_owned())
}
