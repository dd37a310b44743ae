//! Configuration: the only folder that reads arguments and environment. It validates all settings at the start.

mod accounts;
mod commands;
mod document;
mod environment;
mod http;
mod secrets;
mod writes;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

pub use self::accounts::{AccountArgs, AccountLimits, AttemptedNames, NEW_PASSWORD, PasswordArgs, UsersCommand};
pub use self::commands::{BackupArgs, DbCommand, DbInitArgs, InitArgs, KeysCommand, SearchIndexArgs, SeedArgs};
pub use self::document::{DocumentArgs, DocumentLimits, Introspection, IntrospectionArg};
pub use self::environment::variables;
pub use self::http::{HttpArgs, HttpSettings, ProxyHeader};
pub use self::secrets::new_password;
pub use self::writes::{WriteArgs, WriteLimits};

/// A GraphQL API server over users, their agent sessions and the audit log
#[derive(Debug, Parser)]
#[command(
    name = "guardianeye",
    version,
    after_help = "Each option has an environment variable. The option takes precedence; an empty variable counts as unset.\n\
                  Passwords come from variables or files, never from options: DATABASE_URL_FILE,\n\
                  GUARDIANEYE_ADMIN_PASSWORD_FILE and GUARDIANEYE_NEW_PASSWORD_FILE name such files.\n\
                  By default `guardianeye serve` stores its data in data/guardianeye.db and listens on \
                  http://127.0.0.1:8000."
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// The options of all commands.
#[derive(Args, Debug)]
pub struct Common {
    /// The database URL: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`
    #[arg(
        long,
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite:data/guardianeye.db"
    )]
    pub database_url: SecretUrl,

    /// The format of log entries
    #[arg(long, global = true, env = "GUARDIANEYE_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// The log filter: a level, or a list such as `info,guardianeye=debug`
    #[arg(long, global = true, env = "GUARDIANEYE_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// A URL that may contain a password, so it is never printed.
#[derive(Clone, Debug)]
pub struct SecretUrl(pub SecretString);

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self(url.into())
    }
}

/// The format of log entries.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// Human-readable lines.
    Text,
    /// One JSON object per line, for log collectors.
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    #[command(after_help = secrets::ADMIN_PASSWORD_HELP)]
    Serve(Box<ServeArgs>),
    /// Initialize, check, back up and seed the database
    #[command(subcommand)]
    Db(DbCommand),
    /// Unlock users and reset passwords
    #[command(subcommand)]
    Users(UsersCommand),
    /// Rotate and list the keys that sign access tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Print the GraphQL schema (SDL)
    Schema,
}

#[derive(Args, Debug)]
pub struct ServeArgs {
    /// The address to listen on
    #[arg(long, env = "GUARDIANEYE_HOST", value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// The port to listen on; 0 selects a free port and logs it
    #[arg(long, env = "GUARDIANEYE_PORT", value_name = "PORT", default_value_t = 8000)]
    pub port: u16,

    /// Migrate the tables of a PostgreSQL database at the start (on SQLite the server always migrates)
    #[arg(long, env = "GUARDIANEYE_MIGRATE", value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub migrate: bool,

    #[command(flatten)]
    pub init: InitArgs,

    #[command(flatten)]
    pub http: HttpArgs,

    #[command(flatten)]
    pub limits: LimitArgs,
}

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

/// The settings of the server.
#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// Whether only this machine can reach the server: it listens on a loopback address and has no trusted proxy.
    pub private: bool,
    pub migrate: bool,
    pub admin_password: Option<SecretString>,
    pub http: HttpSettings,
    pub limits: Limits,
}

impl Config {
    /// Validates the arguments; an error message for contradictions.
    pub fn new(args: ServeArgs) -> Result<Self, String> {
        let limits = &args.limits;
        if limits.statement_timeout > limits.request_timeout {
            return Err(format!(
                "the statement timeout ({} s) exceeds the request timeout ({} s)",
                limits.statement_timeout, limits.request_timeout
            ));
        }
        let document = &limits.document;
        if document.max_cost > document.max_cost_per_minute {
            return Err(format!(
                "the complexity limit of one operation ({}) exceeds the limit per minute ({})",
                document.max_cost, document.max_cost_per_minute
            ));
        }
        // Other machines can reach the server through a proxy, whatever its own address is.
        let private = args.host.is_loopback() && args.http.trusted_proxies.is_empty();
        let http = HttpSettings::new(args.http, private);
        Ok(Self {
            listen: SocketAddr::new(args.host, args.port),
            private,
            migrate: args.migrate,
            admin_password: args.init.admin_password,
            http,
            limits: Limits::new(&args.limits, private),
        })
    }
}

impl Limits {
    fn new(args: &LimitArgs, private: bool) -> Self {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_password_change_is_forced_except_on_a_private_server() {
        let forced = |args: &[&str]| {
            let cli = Cli::try_parse_from(["guardianeye", "serve"].iter().chain(args)).expect("parses");
            let Command::Serve(args) = cli.command else { panic!("not serve") };
            Config::new(*args).expect("valid").limits.accounts.force_password_change
        };
        assert!(!forced(&[]));
        assert!(forced(&["--force-password-change"]) && forced(&["--host", "0.0.0.0"]));
        assert!(forced(&["--trusted-proxies", "127.0.0.1"]));
        assert!(!forced(&["--host", "0.0.0.0", "--force-password-change", "false"]));
    }

    #[test]
    fn introspection_is_public_by_default_on_a_private_server_only() {
        let introspection = |args: &[&str]| {
            let cli = Cli::try_parse_from(["guardianeye", "serve"].iter().chain(args)).expect("parses");
            let Command::Serve(args) = cli.command else { panic!("not serve") };
            Config::new(*args).expect("valid").limits.document.introspection
        };
        assert_eq!(introspection(&[]), Introspection::Public);
        assert_eq!(introspection(&["--host", "::1"]), Introspection::Public);
        assert_eq!(introspection(&["--host", "0.0.0.0"]), Introspection::SignedIn);
        assert_eq!(introspection(&["--host", "0.0.0.0", "--introspection", "public"]), Introspection::Public);
        assert_eq!(introspection(&["--introspection", "signed-in"]), Introspection::SignedIn);
        assert_eq!(introspection(&["--introspection", "off"]), Introspection::Off);
    }

    #[test]
    fn the_complexity_limit_cannot_exceed_the_limit_per_minute() {
        let cli = Cli::try_parse_from(["guardianeye", "serve", "--max-cost-per-minute", "49999"]).expect("parses");
        let Command::Serve(args) = cli.command else { panic!("not serve") };
        let sentence = Config::new(*args).expect_err("contradiction");
        assert_eq!(sentence, "the complexity limit of one operation (50000) exceeds the limit per minute (49999)");
    }

    #[test]
    fn the_statement_timeout_cannot_exceed_the_request_timeout() {
        let cli = Cli::try_parse_from(["guardianeye", "serve", "--statement-timeout", "11"]).expect("parses");
        let Command::Serve(args) = cli.command else { panic!("not serve") };
        let sentence = Config::new(*args).expect_err("contradiction");
        assert_eq!(sentence, "the statement timeout (11 s) exceeds the request timeout (10 s)");
    }
}
