//! `guardianeye users`: account recovery by the operator, without a login.

use std::{
    io::{BufRead, IsTerminal},
    process::ExitCode,
};

use secrecy::{ExposeSecret, SecretString};

use super::database;
use crate::{
    auth::{HashCost, MAX_PASSWORD_BYTES, PasswordHasher},
    clock::Clock,
    config::{Common, UsersCommand, new_password},
    db::{Db, Settings},
    error::{Error, ErrorCode, Result},
    services::{passwords, users},
};

pub async fn run(common: &Common, command: UsersCommand) -> Result<ExitCode> {
    let db = database::connect_migrated(common, Settings::default()).await?;
    let done = execute(&db, command).await;
    db.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn execute(db: &Db, command: UsersCommand) -> Result<()> {
    let operator = super::operator::operator();
    match command {
        UsersCommand::Unlock { name } => {
            match users::unlock_as_operator(db, Clock::System, &name, operator.as_ref()).await? {
                (user, true) => println!("✓ Unlocked {}", user.username),
                (user, false) => println!("{} was not locked", user.username),
            }
        }
        UsersCommand::ResetPassword { name, password } => {
            let configured = new_password().map_err(|message| Error::new(ErrorCode::BadUserInput, message))?;
            let new = match configured {
                Some(new) => new,
                None => tokio::task::spawn_blocking(read_password).await.map_err(Error::internal)??,
            };
            let hasher = PasswordHasher::new(HashCost::Owasp, 1)?;
            let min_length = password.password_min_length as usize;
            let reset =
                passwords::reset_as_operator(db, &hasher, Clock::System, &name, new, min_length, operator.as_ref());
            let passwords::Reset { user, api_tokens } = reset.await.map_err(|error| match error.code() {
                ErrorCode::BadUserInput => {
                    let message = format!("the password is rejected: {}", error.message());
                    error.with_message(message)
                }
                _ => error,
            })?;
            println!("✓ Reset the password of {}, who must change it at the next login", user.username);
            match api_tokens {
                0 => {}
                1 => println!("✓ Revoked 1 API token of the user"),
                more => println!("✓ Revoked {more} API tokens of the user"),
            }
            if !user.is_active {
                println!("  ⚠ {} is deactivated and cannot log in", user.username);
            }
        }
    }
    Ok(())
}

/// Prompts for the password twice without echo; without a terminal, reads the first line of the standard input.
fn read_password() -> Result<SecretString> {
    if std::io::stdin().is_terminal() {
        let prompt = |text| rpassword::prompt_password(text).map(SecretString::from).map_err(Error::internal);
        let (first, again) = (prompt("New password: ")?, prompt("Repeat the new password: ")?);
        if first.expose_secret() != again.expose_secret() {
            return Err(Error::new(ErrorCode::BadUserInput, "the passwords differ"));
        }
        return Ok(first);
    }
    let mut line = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_PASSWORD_BYTES as u64 + 3);
    input.read_line(&mut line).map_err(Error::internal)?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n'])))
}
