//! `guardianeye db check`: runs the self-test and prints its steps, or with `--json` its result.

use std::{process::ExitCode, time::Duration};

use serde::Serialize;

use super::{database, output};
use crate::{
    auth::{HashCost, PasswordHasher},
    clock::Clock,
    config::Common,
    db::Settings,
    error::{Error, Result},
    ops::{
        self_check::{self, Event, Outcome, STEPS, Step},
        stored_json::{self, Finding},
    },
};

/// The statements of the check are short, so this timeout detects blocking locks.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

pub async fn run(common: &Common, json: bool) -> Result<ExitCode> {
    let settings = Settings { statement_timeout: Some(STATEMENT_TIMEOUT), ..Settings::default() };
    let mut report = Report::default();
    let db = match database::connect(common, settings).await {
        Ok(db) => db,
        Err(error) if json => {
            report.unreachable(&error);
            return report.print(false);
        }
        Err(error) => return Err(error),
    };
    let hasher = PasswordHasher::new(HashCost::Owasp, 1)?;
    if json {
        report.database = Some(db.kind());
        let ok = self_check::check(&db, &hasher, Clock::System, interrupt(), &mut |event| report.add(event)).await;
        if ok {
            report.add_findings(stored_json::find(&db).await);
        }
        db.close().await;
        return report.print(ok);
    }
    println!("{RULE}\n{:^70}\n{RULE}", "Database Integration Test");
    let ok = self_check::check(&db, &hasher, Clock::System, interrupt(), &mut print).await;
    if ok {
        print_findings(stored_json::find(&db).await);
    }
    db.close().await;
    println!("\n{RULE}\n{}\n{RULE}", if ok { "✅ ALL TESTS PASSED!" } else { "❌ THE TEST FAILED" });
    Ok(output::exit_code(ok))
}

const RULE: &str = "======================================================================";

/// Completes on Ctrl-C; never, if the signal is not available.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn print(event: Event<'_>) {
    match event {
        Event::Began(step) => println!("\n[{}/{}] {}...", step.number, STEPS.len(), step.description),
        Event::Ended(_, Outcome::Passed(detail), _) => println!("✓ {detail}"),
        Event::Ended(step, Outcome::Failed(error), _) => println!("✗ Step {} failed: {}", step.number, error.chain()),
        Event::Ended(_, Outcome::Skipped, _) => println!("- skipped"),
        Event::CleanedUp(Ok(())) => println!("\n✓ Deleted all rows of the test"),
        Event::CleanedUp(Err(error)) => println!("\n✗ Could not delete the rows of the test: {}", error.chain()),
    }
}

/// Prints rows that violate the current rules for JSON. They are no failure, as the server returns them unchanged.
fn print_findings(findings: Result<Vec<Finding>>) {
    match findings {
        Ok(findings) if findings.is_empty() => {}
        Ok(findings) => {
            println!("\nRows with JSON that this version would reject. The server returns them unchanged:");
            for Finding { table, id, reason } in findings {
                println!("! {table} {id}: {reason}");
            }
        }
        Err(error) => println!("\n! Could not check the stored JSON: {}", error.chain()),
    }
}

/// The JSON result. Fields may be added, but not removed or renamed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ok: bool,
    /// Absent if the connection failed.
    database: Option<&'static str>,
    steps: Vec<StepReport>,
    cleaned_up: bool,
    /// Rows with JSON that this version would reject; absent if they were not checked.
    findings: Option<Vec<FindingReport>>,
    /// The error of the connection or of the clean-up.
    error: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepReport {
    step: usize,
    name: &'static str,
    ok: bool,
    skipped: bool,
    detail: Option<String>,
    duration_ms: u128,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct FindingReport {
    table: &'static str,
    id: String,
    reason: String,
}

impl Report {
    fn add_findings(&mut self, findings: Result<Vec<Finding>>) {
        match findings {
            Ok(findings) => {
                let report =
                    |Finding { table, id, reason }: Finding| FindingReport { table, id: id.to_string(), reason };
                self.findings = Some(findings.into_iter().map(report).collect());
            }
            Err(error) => self.error = Some(error.chain()),
        }
    }

    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Began(_) => {}
            Event::Ended(step, outcome, took) => self.steps.push(StepReport::new(step, outcome, took)),
            Event::CleanedUp(done) => {
                self.cleaned_up = done.is_ok();
                self.error = done.as_ref().err().map(Error::chain);
            }
        }
    }

    fn unreachable(&mut self, error: &Error) {
        self.error = Some(error.chain());
        self.steps.extend(STEPS.map(|step| StepReport::new(step, &Outcome::Skipped, Duration::ZERO)));
        self.cleaned_up = true;
    }

    fn print(mut self, ok: bool) -> Result<ExitCode> {
        self.ok = ok;
        output::print_json(&self)?;
        Ok(output::exit_code(ok))
    }
}

impl StepReport {
    fn new(step: Step, outcome: &Outcome, took: Duration) -> Self {
        let (detail, error) = match outcome {
            Outcome::Passed(detail) => (Some(detail.clone()), None),
            Outcome::Failed(error) => (None, Some(error.chain())),
            Outcome::Skipped => (None, None),
        };
        Self {
            step: step.number,
            name: step.name,
            ok: detail.is_some(),
            skipped: matches!(outcome, Outcome::Skipped),
            detail,
            duration_ms: took.as_millis(),
            error,
        }
    }
}
