//! Environment variables: the known names, and the handling of unknown and empty variables.

use std::{collections::BTreeSet, ffi::OsString, process::ExitCode};

use clap::{ArgMatches, CommandFactory, FromArgMatches, error::ErrorKind, parser::ValueSource};
use secrecy::ExposeSecret;

use super::{
    cli::{Cli, Command, SecretUrl},
    commands::DbCommand,
    secrets::{self, DATABASE_URL, SECRETS},
};

/// The prefix of the program's own variables.
const PREFIX: &str = "GUARDIANEYE_";

impl Cli {
    /// Reads arguments and environment. Without arguments it prints the help and returns the exit code. Ends the process on an
    /// invalid setting.
    ///
    /// An empty variable counts as unset, so that templates with empty values (`.env`, Compose) have no effect.
    pub fn read() -> Result<Self, ExitCode> {
        let args: Vec<OsString> = std::env::args_os().collect();
        let mut command = without_empty_variables(Self::command());
        if args.len() <= 1 {
            // clap's `arg_required_else_help` counts variables as arguments.
            eprint!("{}", command.render_help());
            return Err(ExitCode::from(2));
        }
        if let Some(message) = unknown_variable(std::env::vars_os().map(|(name, _)| name)) {
            command.error(ErrorKind::UnknownArgument, message).exit();
        }
        let matches = command.try_get_matches_from_mut(args).unwrap_or_else(|error| error.exit());
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
        if let Err(message) = cli.add_secrets(&matches) {
            command.error(ErrorKind::ValueValidation, message).exit();
        }
        Ok(cli)
    }

    /// Adds the secrets, which are not arguments. An error message for contradictions and unreadable files.
    fn add_secrets(&mut self, matches: &ArgMatches) -> Result<(), String> {
        if matches.value_source("database_url") == Some(ValueSource::CommandLine) {
            if secrets::has_password(self.common.database_url.0.expose_secret()) {
                return Err(format!(
                    "--database-url contains a password, which every program on this machine can read: set the environment \
                     variable {DATABASE_URL}, or name a file with the URL in {DATABASE_URL}_FILE"
                ));
            }
        } else if let Some(url) = secrets::database_url()? {
            self.common.database_url = SecretUrl(url);
        }
        match &mut self.command {
            Command::Serve(args) => args.init.admin_password = secrets::admin_password()?,
            Command::Db(DbCommand::Init(args)) => args.init.admin_password = secrets::admin_password()?,
            _ => {}
        }
        Ok(())
    }
}

/// The names of all environment variables that the program reads.
#[must_use]
pub fn variables() -> BTreeSet<String> {
    fn collect(command: &clap::Command, into: &mut BTreeSet<String>) {
        into.extend(command.get_arguments().filter_map(|arg| arg.get_env()?.to_str().map(str::to_owned)));
        for subcommand in command.get_subcommands() {
            collect(subcommand, into);
        }
    }
    let mut names: BTreeSet<_> = SECRETS.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_FILE")]).collect();
    collect(&Cli::command(), &mut names);
    names
}

/// The command line without the variables that are empty.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| if arg.get_env().is_some_and(is_empty) { arg.env(None) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// Detects a variable with the program's prefix that no option reads, which is probably a typing error.
fn unknown_variable(names: impl Iterator<Item = OsString>) -> Option<String> {
    let known = variables();
    names.filter_map(|name| name.into_string().ok()).find(|name| name.starts_with(PREFIX) && !known.contains(name)).map(
        |name| {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            format!("unknown environment variable {name}; the known variables are {}", known.join(", "))
        },
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const EXAMPLE: &str = include_str!("../../.env.example");
    const COMPOSE: &str = include_str!("../../docker-compose.yml");

    #[test]
    fn a_misspelt_variable_is_rejected_by_name() {
        let names = ["PATH", "GUARDIANEYE_PORT", "GUARDIANEYE_PROT"].map(Into::into);
        let sentence = unknown_variable(names.into_iter()).expect("one is unknown");
        assert!(sentence.contains("unknown environment variable GUARDIANEYE_PROT;"), "{sentence}");
        assert!(sentence.contains("GUARDIANEYE_PORT"), "{sentence}");
    }

    /// The lines `#NAME=VALUE` of `.env.example`.
    fn example_lines() -> Vec<(&'static str, &'static str)> {
        let setting = |line: &'static str| line.strip_prefix('#')?.split_once('=');
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_uppercase() || c == b'_');
        EXAMPLE.lines().filter_map(setting).filter(|(name, _)| is_name(name)).collect()
    }

    /// The default of each variable in clap's definition; empty for settings without a default.
    fn defaults() -> BTreeMap<String, String> {
        fn collect(command: &clap::Command, into: &mut BTreeMap<String, String>) {
            for arg in command.get_arguments() {
                if let Some(name) = arg.get_env().and_then(std::ffi::OsStr::to_str) {
                    let values: Vec<_> = arg.get_default_values().iter().filter_map(|value| value.to_str()).collect();
                    into.insert(name.to_owned(), values.join(","));
                }
            }
            for subcommand in command.get_subcommands() {
                collect(subcommand, into);
            }
        }
        let mut defaults: BTreeMap<_, _> = variables().into_iter().map(|name| (name, String::new())).collect();
        collect(&Cli::command(), &mut defaults);
        defaults
    }

    #[test]
    fn the_example_file_lists_every_setting_once() {
        let lines = example_lines();
        let missing: Vec<_> =
            variables().into_iter().filter(|name| !lines.iter().any(|(line, _)| line == name)).collect();
        assert!(
            missing.is_empty(),
            "add a line `#NAME=default` with a comment to .env.example, with nothing after the = for a setting without \
             a default: {missing:#?}"
        );
        let mut names: Vec<_> = lines.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let duplicates: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        assert!(duplicates.is_empty(), ".env.example lists these twice; put examples into the comment: {duplicates:?}");
    }

    #[test]
    fn the_example_file_shows_the_defaults() {
        let defaults = defaults();
        for (name, value) in example_lines() {
            match defaults.get(name) {
                Some(default) => assert_eq!(
                    value, default,
                    ".env.example must show the program's default of {name}; put other values into its comment"
                ),
                // The others are variables of Compose, or of the tests.
                None if name == "TEST_DATABASE_URL" => assert_eq!(value, "", "{name}"),
                None => assert!(
                    COMPOSE.contains(&format!("${{{name}:-{value}}}")),
                    "{name}={value} in .env.example is neither a setting of the program nor a default in docker-compose.yml"
                ),
            }
        }
    }
}
