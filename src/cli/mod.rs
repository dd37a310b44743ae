//! The command line: one file per group of commands. The commands print text, or JSON with `--json`.

mod backup;
mod check;
mod database;
mod db;
mod keys;
mod operator;
mod output;
mod search_index;
mod seed;
mod serve;
mod users;

use std::{io::IsTerminal, process::ExitCode};

use tracing_subscriber::EnvFilter;

use crate::{
    config::{Cli, Command, Common, LogFormat},
    graphql::GraphqlApi,
};

/// Runs the command and returns the exit code: 0 for success, 1 for failure, 2 for invalid arguments.
pub async fn run(cli: Cli) -> ExitCode {
    if let Err(message) = init_log(&cli.common) {
        eprintln!("error: {message}");
        return ExitCode::from(2);
    }
    let done = match cli.command {
        Command::Serve(args) => serve::run(&cli.common, *args).await,
        Command::Db(command) => db::run(&cli.common, command).await,
        Command::Users(command) => users::run(&cli.common, command).await,
        Command::Keys(command) => keys::run(&cli.common, command).await,
        Command::Schema => {
            print!("{}", GraphqlApi::default().sdl());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {}", error.chain());
        ExitCode::FAILURE
    })
}

fn init_log(common: &Common) -> Result<(), String> {
    let filter = EnvFilter::try_new(&common.log).map_err(|cause| format!("invalid log filter: {cause}"))?;
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
