//! The command line: its commands, and the options that they share.

use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

use super::{
    accounts::UsersCommand,
    commands::{DbCommand, KeysCommand},
    secrets,
    serve::ServeArgs,
};

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
