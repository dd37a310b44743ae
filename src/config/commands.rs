//! The commands beside `serve`, with their arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::SecretString;

use super::PasswordArgs;
use crate::model::Timestamp;

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Put a new key in the place of the active one
    ///
    /// Running servers sign with it within 5 seconds. Tokens of the old key hold until they expire, a quarter of an hour at
    /// most. From then on the old key counts for nothing, whatever times a token names, and the next rotation deletes it.
    Rotate {
        /// Revoke all earlier keys, after a leak: what they signed is refused within 5 seconds
        ///
        /// Users stay signed in: their clients get an access token of the new key by their refresh tokens. API tokens are
        /// not affected. Programs that verify access tokens by `/.well-known/jwks.json` keep the keys up to a minute.
        #[arg(long)]
        revoke_now: bool,

        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the keys, the newest first, without their private parts
    List {
        /// Print them as one JSON array
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Create the tables, or take over those of an older GuardianEye, and create the first admin if there is no user yet
    ///
    /// The tables that the Python program made on PostgreSQL (SQLAlchemy) are taken over as they are, in one transaction
    /// and without changing a row: enum values get the names that the server uses, defaults and indexes are added. Tables
    /// that are not as expected are refused with a list of what is wrong. Exit code 1 then, also of a dry run.
    #[command(after_help = super::secrets::ADMIN_PASSWORD_HELP)]
    Init(DbInitArgs),
    /// Test the database end to end with rows of its own, which it removes again
    ///
    /// Seven steps: tables, connection, user, session, audit log, relationships, cascade delete. The first makes the
    /// tables where there are none of ours. Tables that are out of date it brings up to date on SQLite, as `serve` does,
    /// but never on PostgreSQL: there it fails and says so. A missing SQLite file is not made. Other rows are neither
    /// changed nor locked.
    ///
    /// Exit code 0 when every step passed and nothing of the test is left, else 1.
    Check {
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Copy the SQLite database into one new file, while the server goes on
    ///
    /// The copy is the database as it is when the command starts. Its mode is 0600, and it appears under its name when it is
    /// complete. An existing file is not overwritten. To restore it, stop the server, put the file in the place of the
    /// database's, remove the old `-wal` and `-shm`, and run `db check`. PostgreSQL has `pg_dump` for this.
    Backup(BackupArgs),
    /// Fill in demo data; with numbers, a large data set for trials and benchmarks
    ///
    /// Without numbers: the users admin, analyst and viewer, each with the user name as the password, with sample
    /// sessions and audit logs. Users that are there already stay as they are.
    ///
    /// With numbers: so many rows, a few users owning many of them. Nobody can log in as one of these users. Meanwhile
    /// others cannot use the tables of a PostgreSQL database, nor write to one of SQLite.
    ///
    /// Both add only what is missing, so a second run does no harm, and either all of it or nothing is added.
    Seed(SeedArgs),
    /// Make searching quick on PostgreSQL: indexes for `contains` and `startsWith` on texts and `contains` on JSON
    ///
    /// Without them a search for what is rare reads the whole table. They take space and a part of the speed of every
    /// write, hence they are made on demand only. The indexes of texts need the extension `pg_trgm`, which comes with
    /// PostgreSQL; where it cannot be created only those of JSON are made. Others can go on working meanwhile. What is
    /// there already is left as it is, and what an interrupted run left is made anew. SQLite has nothing like it.
    ///
    /// Exit code 0 when all indexes are there (or with --drop, gone), else 1.
    SearchIndex(SearchIndexArgs),
}

#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The file to write; it must not exist
    pub file: PathBuf,
    /// Print the result as one JSON object, and no progress
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct SearchIndexArgs {
    /// Remove the indexes again; the extension stays
    #[arg(long)]
    pub drop: bool,
    /// Print the result as one JSON object, and no progress
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct InitArgs {
    /// The password of the first admin, instead of `admin`; from the environment or a file, never an argument. It has to
    /// follow the rules of all passwords.
    #[arg(skip)]
    pub admin_password: Option<SecretString>,
}

#[derive(Args, Debug)]
pub struct DbInitArgs {
    /// Only say what would be done, and whether it can be
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub init: InitArgs,

    #[command(flatten)]
    pub password: PasswordArgs,
}

#[derive(Args, Debug)]
pub struct SeedArgs {
    /// How many users the large data set has [at most 10 million]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub users: Option<u64>,
    /// How many sessions they have together [at most 100 million]
    #[arg(long, value_name = "N", requires = "users", value_parser = clap::value_parser!(u64).range(..=100_000_000))]
    pub sessions: Option<u64>,
    /// How many audit logs they have together [at most 1,000 million]
    #[arg(long, value_name = "N", requires = "users", value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    pub audit_logs: Option<u64>,
    /// The newest moment in the data (RFC 3339); with the same moment and number of users the data is the same to the
    /// byte [default: now; in the demo data the last full hour]
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub until: Option<Timestamp>,
    /// Print the result as one JSON object, and no progress
    #[arg(long)]
    pub json: bool,
}

/// Between years that both databases can store and sort, three years of data included.
fn until(text: &str) -> Result<Timestamp, String> {
    let at: Timestamp = text.parse().map_err(|cause| format!("{cause}; write it as 2025-01-31T12:00:00Z"))?;
    if ("1970-01-01"..="9999").contains(&at.to_string().as_str()) {
        return Ok(at);
    }
    Err("it must lie between the years 1970 and 9998".to_owned())
}
