//! The commands: one file per group. They print for people, or with `--json` for scripts.

mod backup;
mod check;
mod db;
mod keys;
mod operator;
mod search_index;
mod seed;
mod serve;
mod users;

use std::{io::IsTerminal, process::ExitCode};

use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Cli, Command, Common, LogFormat},
    db::{Db, Settings},
    error::Result,
    graphql::Api,
};

/// Runs the command and says how it ended: 0 for success, 1 for failure (2 is for arguments that make no sense).
pub async fn run(cli: Cli) -> ExitCode {
    if let Err(sentence) = start_log(&cli.common) {
        eprintln!("error: {sentence}");
        return ExitCode::from(2);
    }
    let done = match cli.command {
        Command::Serve(args) => serve::run(&cli.common, *args).await,
        Command::Db(command) => db::run(&cli.common, command).await,
        Command::Users(command) => users::run(&cli.common, command).await,
        Command::Keys(command) => keys::run(&cli.common, command).await,
        Command::Schema => {
            print!("{}", Api::default().sdl());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {}", error.chain());
        ExitCode::FAILURE
    })
}

async fn connect(common: &Common, settings: Settings) -> Result<Db> {
    Db::connect(common.database_url.0.expose_secret(), settings).await
}

fn start_log(common: &Common) -> Result<(), String> {
    let filter = EnvFilter::try_new(&common.log).map_err(|cause| format!("the log filter is not valid: {cause}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match common.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
