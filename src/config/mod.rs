//! The settings: the only reader of environment and arguments. Everything is checked here, once, at the start.

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

/// A GraphQL API server over users, their conversation sessions with agents, and the audit log of everything.
#[derive(Debug, Parser)]
#[command(
    name = "guardianeye",
    version,
    after_help = "Every option can also be set by the environment variable named beside it; the option wins, and an\n\
                  empty variable counts as unset. Passwords are taken from variables or files only, not from options:\n\
                  DATABASE_URL_FILE, GUARDIANEYE_ADMIN_PASSWORD_FILE and GUARDIANEYE_NEW_PASSWORD_FILE name them.\n\
                  Without any setting, `guardianeye serve` keeps its data in data/guardianeye.db and listens on \
                  http://127.0.0.1:8000."
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command needs.
#[derive(Args, Debug)]
pub struct Common {
    /// The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`
    #[arg(
        long,
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite:data/guardianeye.db"
    )]
    pub database_url: SecretUrl,

    /// How log lines look
    #[arg(long, global = true, env = "GUARDIANEYE_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// What is logged: a level, or a list such as `info,guardianeye=debug`
    #[arg(long, global = true, env = "GUARDIANEYE_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// A URL that may hold a password, so it is never printed.
#[derive(Clone, Debug)]
pub struct SecretUrl(pub SecretString);

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self(url.into())
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    #[command(after_help = secrets::ADMIN_PASSWORD_HELP)]
    Serve(Box<ServeArgs>),
    /// Prepare, check and fill the database
    #[command(subcommand)]
    Db(DbCommand),
    /// Let users in again who are locked out
    #[command(subcommand)]
    Users(UsersCommand),
    /// The keys that sign access tokens
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

    /// The port to listen on; 0 takes a free one and logs it
    #[arg(long, env = "GUARDIANEYE_PORT", value_name = "PORT", default_value_t = 8000)]
    pub port: u16,

    /// Bring the tables of a PostgreSQL database up to date first (SQLite always does)
    #[arg(long, env = "GUARDIANEYE_MIGRATE", value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub migrate: bool,

    #[command(flatten)]
    pub init: InitArgs,

    #[command(flatten)]
    pub http: HttpArgs,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// What one caller may ask of the server.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Database connections [default: 16; 8 on SQLite, where each keeps pages of its own]
    #[arg(long, env = "GUARDIANEYE_DATABASE_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub database_connections: Option<u32>,

    /// Request bodies, in bytes
    #[arg(long, env = "GUARDIANEYE_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 256 * 1024, value_parser = clap::value_parser!(u32).range(1_024..=64 * 1024 * 1024))]
    pub max_body_bytes: u32,

    /// The answer to one request, in bytes; also what is read from the database for it
    #[arg(long, env = "GUARDIANEYE_MAX_RESPONSE_BYTES", value_name = "BYTES", default_value_t = 16 * 1024 * 1024, value_parser = clap::value_parser!(u32).range(65_536..=1024 * 1024 * 1024))]
    pub max_response_bytes: u32,

    /// A whole request, in seconds
    #[arg(long, env = "GUARDIANEYE_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub request_timeout: u32,

    /// Statements that one user, or one address without a login, has in the database at the same time; more wait
    #[arg(long, env = "GUARDIANEYE_STATEMENTS_PER_PRINCIPAL", value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub statements_per_principal: u32,

    /// One statement in the database, in seconds; not more than a whole request
    #[arg(long, env = "GUARDIANEYE_STATEMENT_TIMEOUT", value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub statement_timeout: u32,

    #[command(flatten)]
    pub document: DocumentArgs,

    #[command(flatten)]
    pub accounts: AccountArgs,

    #[command(flatten)]
    pub writes: WriteArgs,

    /// How many logins are hashed at the same time; each takes 19 MiB
    #[arg(long, env = "GUARDIANEYE_HASHING_THREADS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub hashing_threads: Option<u32>,
}

/// The bounds on what one caller may ask of the server, side by side.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes in a request's body.
    pub body_bytes: usize,
    /// Bytes in the answer to one request, and bytes that are read from the database for it.
    pub response_bytes: u64,
    /// Time for a whole request.
    pub request_timeout: Duration,
    /// Statements of one principal at the same time.
    pub statements_per_principal: usize,
    /// Time for one statement in the database.
    pub statement_timeout: Duration,
    /// What one document may ask for.
    pub document: DocumentLimits,
    /// How accounts are kept.
    pub accounts: AccountLimits,
    /// How often one principal may write.
    pub writes: WriteLimits,
    /// Database connections, if not as many as are right for the database.
    pub database_connections: Option<u32>,
    /// Passwords hashed at the same time.
    pub hashing_threads: usize,
}

/// The server's settings.
#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// Whether only this machine can reach the server: it listens on loopback, and no proxy is in front.
    pub private: bool,
    pub migrate: bool,
    pub admin_password: Option<SecretString>,
    pub http: HttpSettings,
    pub limits: Limits,
}

impl Config {
    /// From the arguments; contradictions are answered with a sentence.
    pub fn new(args: ServeArgs) -> Result<Self, String> {
        let limits = &args.limits;
        if limits.statement_timeout > limits.request_timeout {
            return Err(format!(
                "the statement timeout ({} s) is longer than the request timeout ({} s)",
                limits.statement_timeout, limits.request_timeout
            ));
        }
        let document = &limits.document;
        if document.max_cost > document.max_cost_per_minute {
            return Err(format!(
                "one operation may cost {}, but all operations of a minute only {}",
                document.max_cost, document.max_cost_per_minute
            ));
        }
        // A proxy in front means that others can reach the server, whatever address it listens on.
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
    /// The defaults of the command line, on an address that others can reach.
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
    fn a_password_change_is_forced_unless_only_this_machine_can_reach_the_server() {
        let forced = |args: &[&str]| {
            let cli = Cli::try_parse_from(["guardianeye", "serve"].iter().chain(args)).expect("parses");
            let Command::Serve(args) = cli.command else { panic!("not serve") };
            Config::new(*args).expect("makes sense").limits.accounts.force_password_change
        };
        assert!(!forced(&[]));
        assert!(forced(&["--force-password-change"]) && forced(&["--host", "0.0.0.0"]));
        assert!(forced(&["--trusted-proxies", "127.0.0.1"]));
        assert!(!forced(&["--host", "0.0.0.0", "--force-password-change", "false"]));
    }

    #[test]
    fn the_schema_is_public_on_loopback_only_unless_it_is_said_otherwise() {
        let introspection = |args: &[&str]| {
            let cli = Cli::try_parse_from(["guardianeye", "serve"].iter().chain(args)).expect("parses");
            let Command::Serve(args) = cli.command else { panic!("not serve") };
            Config::new(*args).expect("makes sense").limits.document.introspection
        };
        assert_eq!(introspection(&[]), Introspection::Public);
        assert_eq!(introspection(&["--host", "::1"]), Introspection::Public);
        assert_eq!(introspection(&["--host", "0.0.0.0"]), Introspection::SignedIn);
        assert_eq!(introspection(&["--host", "0.0.0.0", "--introspection", "public"]), Introspection::Public);
        assert_eq!(introspection(&["--introspection", "signed-in"]), Introspection::SignedIn);
        assert_eq!(introspection(&["--introspection", "off"]), Introspection::Off);
    }

    #[test]
    fn one_operation_cannot_cost_more_than_a_minute() {
        let cli = Cli::try_parse_from(["guardianeye", "serve", "--max-cost-per-minute", "49999"]).expect("parses");
        let Command::Serve(args) = cli.command else { panic!("not serve") };
        let sentence = Config::new(*args).expect_err("contradiction");
        assert_eq!(sentence, "one operation may cost 50000, but all operations of a minute only 49999");
    }

    #[test]
    fn a_statement_cannot_outlast_its_request() {
        let cli = Cli::try_parse_from(["guardianeye", "serve", "--statement-timeout", "11"]).expect("parses");
        let Command::Serve(args) = cli.command else { panic!("not serve") };
        let sentence = Config::new(*args).expect_err("contradiction");
        assert_eq!(sentence, "the statement timeout (11 s) is longer than the request timeout (10 s)");
    }
}
