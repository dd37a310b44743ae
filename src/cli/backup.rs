//! `guardianeye db backup`: copies an SQLite database that may be in use, and shows the progress.

use std::{
    io::IsTerminal,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use serde::Serialize;

use super::{database, output};
use crate::{
    config::{BackupArgs, Common},
    db::{Settings, backup},
    error::{Error, Result},
};

pub async fn run(common: &Common, args: BackupArgs) -> Result<ExitCode> {
    let done = tokio::select! {
        done = copy(common, &args) => done,
        Ok(()) = tokio::signal::ctrl_c() => Err(Error::internal("interrupted").with_message("no backup was written")),
    };
    let report = match done {
        Ok(report) => report,
        Err(error) if args.json => Report { error: Some(error.chain()), ..Report::default() },
        Err(error) => return Err(error),
    };
    if args.json {
        output::print_json(&report)?;
    } else {
        let seconds = Duration::from_millis(report.duration_ms.try_into().unwrap_or(u64::MAX)).as_secs_f64();
        println!("✓ Wrote the backup {}: {} bytes in {seconds:.1} s", report.file, report.bytes);
        println!(
            "  ⚠ The backup contains password hashes and signing keys: encrypt it before you move it to another machine."
        );
    }
    Ok(output::exit_code(report.ok))
}

async fn copy(common: &Common, args: &BackupArgs) -> Result<Report> {
    let db = database::connect(common, Settings::default()).await?;
    let started = Instant::now();
    let progress = show_progress(&args.file, args.json);
    let done = backup(&db, &args.file).await;
    progress.finish_and_clear();
    let report = done.map(|bytes| Report {
        ok: true,
        database: Some(db.kind()),
        file: args.file.display().to_string(),
        bytes,
        duration_ms: started.elapsed().as_millis(),
        error: None,
    });
    db.close().await;
    report
}

/// A spinner on a terminal, otherwise one line.
fn show_progress(file: &Path, silent: bool) -> ProgressBar {
    if silent {
        return ProgressBar::hidden();
    }
    let line = format!("copying the database to {}", file.display());
    if !std::io::stderr().is_terminal() {
        eprintln!("{line}");
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(line);
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}

/// The JSON result. Fields may be added, but not removed or renamed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ok: bool,
    database: Option<&'static str>,
    file: String,
    bytes: u64,
    duration_ms: u128,
    error: Option<String>,
}
