//! `guardianeye db check`: prints the self-test as it runs, or with `--json` its result.

use std::{process::ExitCode, time::Duration};

use serde::Serialize;

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

/// A check is short, so a statement that waits for a lock for so long is a finding.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

pub async fn run(common: &Common, json: bool) -> Result<ExitCode> {
    let settings = Settings { statement_timeout: Some(STATEMENT_TIMEOUT), ..Settings::default() };
    let mut report = Report::default();
    let db = match super::connect(common, settings).await {
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
        let ok = self_check::check(&db, &hasher, Clock::System, interrupt(), &mut |event| report.note(event)).await;
        if ok {
            report.note_findings(stored_json::find(&db).await);
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
    Ok(exit_code(ok))
}

const RULE: &str = "======================================================================";

/// Comes to an end with Ctrl-C; never, where that cannot be waited for.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn exit_code(ok: bool) -> ExitCode {
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(event: Event<'_>) {
    match event {
        Event::Began(step) => println!("\n[{}/{}] {}...", step.number, STEPS.len(), step.doing),
        Event::Ended(_, Outcome::Passed(detail), _) => println!("✓ {detail}"),
        Event::Ended(step, Outcome::Failed(error), _) => println!("✗ Step {} failed: {}", step.number, error.chain()),
        Event::Ended(_, Outcome::Skipped, _) => println!("- skipped"),
        Event::CleanedUp(Ok(())) => println!("\n✓ Cleaned up: nothing of this test is left"),
        Event::CleanedUp(Err(error)) => println!("\n✗ Not cleaned up: {}", error.chain()),
    }
}

/// Rows that are not as they would be written today: nothing that fails, as the server bears them.
fn print_findings(findings: Result<Vec<Finding>>) {
    match findings {
        Ok(findings) if findings.is_empty() => {}
        Ok(findings) => {
            println!("\nRows with JSON that this version would not store. They are handed out as they are:");
            for Finding { table, id, reason } in findings {
                println!("! {table} {id}: {reason}");
            }
        }
        Err(error) => println!("\n! Stored JSON could not be looked at: {}", error.chain()),
    }
}

/// The result for programs. Fields may be added, none is removed or renamed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ok: bool,
    /// Absent when it could not be connected to.
    database: Option<&'static str>,
    steps: Vec<StepReport>,
    cleaned_up: bool,
    /// Rows with JSON that this version would not store; absent when they were not looked for.
    findings: Option<Vec<FindingReport>>,
    /// Why it was not cleaned up, or not even connected.
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
    fn note_findings(&mut self, findings: Result<Vec<Finding>>) {
        match findings {
            Ok(findings) => {
                let report =
                    |Finding { table, id, reason }: Finding| FindingReport { table, id: id.to_string(), reason };
                self.findings = Some(findings.into_iter().map(report).collect());
            }
            Err(error) => self.error = Some(error.chain()),
        }
    }

    fn note(&mut self, event: Event<'_>) {
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
        println!("{}", serde_json::to_string(&self).map_err(Error::internal)?);
        Ok(exit_code(ok))
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
