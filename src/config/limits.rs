//! The limits of requests: their arguments and defaults.

use std::time::Duration;

use clap::{Args, Parser};

use super::{
    accounts::{AccountArgs, AccountLimits},
    document::{DocumentArgs, DocumentLimits},
    writes::{WriteArgs, WriteLimits},
};

/// The arguments that limit requests.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Database connections [default: 16; 8 on SQLite, where each connection has its own page cache]
    #[arg(long, env = "GUARDIANEYE_DATABASE_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub database_connections: Option<u32>,

    /// The size of a request body, in bytes
    #[arg(long, env = "GUARDIANEYE_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 256 * 1024, value_parser = clap::value_parser!(u32).range(1_024..=64 * 1024 * 1024))]
    pub max_body_bytes: u32,

    /// The size of a response, and of the data read from the database for it, in bytes
    #[arg(long, env = "GUARDIANEYE_MAX_RESPONSE_BYTES", value_name = "BYTES", default_value_t = 16 * 1024 * 1024, value_parser = clap::value_parser!(u32).range(65_536..=1024 * 1024 * 1024))]
    pub max_response_bytes: u32,

    /// The request timeout, in seconds
    #[arg(long, env = "GUARDIANEYE_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub request_timeout: u32,

    /// Concurrent database statements of one user, or of one client address without authentication; further statements wait
    #[arg(long, env = "GUARDIANEYE_STATEMENTS_PER_PRINCIPAL", value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub statements_per_principal: u32,

    /// The statement timeout, in seconds; at most the request timeout
    #[arg(long, env = "GUARDIANEYE_STATEMENT_TIMEOUT", value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub statement_timeout: u32,

    #[command(flatten)]
    pub document: DocumentArgs,

    #[command(flatten)]
    pub accounts: AccountArgs,

    #[command(flatten)]
    pub writes: WriteArgs,

    /// Passwords that are hashed concurrently; each takes 19 MiB of memory [default: the number of cores]
    #[arg(long, env = "GUARDIANEYE_HASHING_THREADS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub hashing_threads: Option<u32>,
}

/// The limits of requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Bytes of a response, and bytes read from the database for it.
    pub response_bytes: u64,
    /// The time limit of a request.
    pub request_timeout: Duration,
    /// Concurrent statements of one principal.
    pub statements_per_principal: usize,
    /// The time limit of a statement in the database.
    pub statement_timeout: Duration,
    /// The limits of documents.
    pub document: DocumentLimits,
    /// The settings of accounts.
    pub accounts: AccountLimits,
    /// The rate limits of mutations.
    pub writes: WriteLimits,
    /// Database connections; None: the default of the database.
    pub database_connections: Option<u32>,
    /// Passwords that are hashed concurrently.
    pub hashing_threads: usize,
}

impl Limits {
    pub(super) fn new(args: &LimitArgs, private: bool) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            body_bytes: args.max_body_bytes as usize,
            response_bytes: args.max_response_bytes.into(),
            request_timeout: Duration::from_secs(args.request_timeout.into()),
            statements_per_principal: args.statements_per_principal as usize,
            statement_timeout: Duration::from_secs(args.statement_timeout.into()),
            document: DocumentLimits::new(args.document, private),
            accounts: AccountLimits::new(args.accounts, private),
            writes: args.writes.into(),
            database_connections: args.database_connections,
            hashing_threads: args.hashing_threads.map_or(cores, |threads| threads as usize),
        }
    }
}

impl Default for Limits {
    /// The defaults of the command line for a server that other machines can reach.
    fn default() -> Self {
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            limits: LimitArgs,
        }
        Self::new(&Defaults::parse_from(["limits"]).limits, false)
    }
}
