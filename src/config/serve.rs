//! The arguments of `guardianeye serve`, and the settings of the server that they make.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use secrecy::SecretString;

use super::{
    commands::InitArgs,
    http::{HttpArgs, HttpSettings},
    limits::{LimitArgs, Limits},
};

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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Cli, Command, Introspection};

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
