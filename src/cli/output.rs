//! The results of commands: JSON for programs, and the exit code.

use std::process::ExitCode;

use serde::Serialize;

use crate::error::{Error, Result};

/// Prints the result of a command for programs.
pub(super) fn print_json(report: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(report).map_err(Error::internal)?);
    Ok(())
}

/// 0 for success, 1 for failure.
pub(super) fn exit_code(ok: bool) -> ExitCode {
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
