//! `guardianeye db seed`: inserts demo or bulk data, and shows the progress.

use std::{fmt, io::IsTerminal, process::ExitCode, time::Duration};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use serde::Serialize;

use super::{database, output};
use crate::{
    auth::{HashCost, PasswordHasher},
    clock::Clock,
    config::{Common, SeedArgs},
    db::{Db, Settings},
    error::{Error, Result},
    model::Timestamp,
    ops::seed::{self, Filled, Progress, Sizes},
};

pub async fn run(common: &Common, args: SeedArgs) -> Result<ExitCode> {
    let json = args.json;
    let done = tokio::select! {
        done = fill(common, args) => done,
        // The end of the process ends the connection, which rolls back the transaction.
        Ok(()) = tokio::signal::ctrl_c() => Err(Error::internal("interrupted").with_message("nothing was changed")),
    };
    let report = match done {
        Ok(report) => report,
        Err(error) if json => Report { error: Some(error.chain()), ..Report::default() },
        Err(error) => return Err(error),
    };
    if json {
        output::print_json(&report)?;
    } else {
        report.print();
    }
    Ok(output::exit_code(report.ok))
}

async fn fill(common: &Common, args: SeedArgs) -> Result<Report> {
    let db = database::connect(common, Settings { create: true, ..Settings::default() }).await?;
    let now = Clock::System.now();
    let report = match args.users {
        None => demo(&db, args.until.unwrap_or_else(|| now.start_of_hour())).await?,
        Some(users) => {
            let sizes = Sizes {
                users,
                sessions: args.sessions.unwrap_or_default(),
                audit_logs: args.audit_logs.unwrap_or_default(),
            };
            bulk(&db, sizes, args.until.unwrap_or(now), args.json).await?
        }
    };
    db.close().await;
    Ok(report)
}

async fn demo(db: &Db, until: Timestamp) -> Result<Report> {
    let hasher = PasswordHasher::new(HashCost::Owasp, 1)?;
    let demo = seed::demo(db, &hasher, until).await?;
    Ok(Report { known_passwords: demo.known_passwords, ..Report::new(db, until, &demo.tables) })
}

async fn bulk(db: &Db, sizes: Sizes, until: Timestamp, json: bool) -> Result<Report> {
    let mut bar = Bar::default();
    let tables = if json {
        seed::bulk(db, sizes, until, &mut |_| {}).await?
    } else {
        seed::bulk(db, sizes, until, &mut |progress| bar.show(progress)).await?
    };
    Ok(Report::new(db, until, &tables))
}

/// One progress bar per table; without a terminal, one line per table.
#[derive(Default)]
struct Bar(Option<ProgressBar>);

impl Bar {
    fn show(&mut self, progress: Progress) {
        match progress {
            Progress::Probing => eprintln!("reading the existing rows"),
            Progress::Adding { table, missing } if std::io::stderr().is_terminal() => {
                let style = ProgressStyle::with_template(
                    "{prefix:<10} {bar:30} {human_pos}/{human_len} {rate} {elapsed} {msg}",
                );
                let bar = ProgressBar::new(missing).with_prefix(table);
                let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
                bar.set_style(style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                    // The rate is optional: ignore a full line.
                    let _ = write!(out, "{:.0} rows/s", state.per_sec());
                }));
                bar.enable_steady_tick(Duration::from_millis(200));
                self.0 = Some(bar);
            }
            Progress::Adding { table, missing } => eprintln!("{table}: inserting {missing} rows"),
            Progress::Added { rows } => {
                if let Some(bar) = &self.0 {
                    bar.inc(rows);
                }
            }
            Progress::Finishing => match &self.0 {
                Some(bar) => bar.set_message("indexes and statistics"),
                None => eprintln!("  inserted all rows; building indexes and statistics"),
            },
            Progress::Done(_) => {
                if let Some(bar) = self.0.take() {
                    bar.finish_with_message("done");
                }
            }
        }
    }
}

/// The JSON result. Fields may be added, but not removed or renamed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ok: bool,
    database: Option<&'static str>,
    /// The latest time in the data; the same value reproduces the data.
    until: Option<String>,
    tables: Vec<TableReport>,
    /// Accounts with publicly known passwords.
    known_passwords: Vec<&'static str>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TableReport {
    table: &'static str,
    found: u64,
    added: u64,
    duration_ms: u128,
    /// Absent if no rows were inserted, or in too short a time to measure.
    rows_per_second: Option<u128>,
}

impl Report {
    fn new(db: &Db, until: Timestamp, tables: &[Filled]) -> Self {
        let tables = tables
            .iter()
            .map(|filled| TableReport {
                table: filled.table,
                found: filled.found,
                added: filled.added,
                duration_ms: filled.took.as_millis(),
                rows_per_second: (u128::from(filled.added) * 1_000_000)
                    .checked_div(filled.took.as_micros())
                    .filter(|rate| *rate > 0),
            })
            .collect();
        Self {
            ok: true,
            database: Some(db.kind()),
            until: Some(until.to_string()),
            tables,
            known_passwords: Vec::new(),
            error: None,
        }
    }

    fn print(&self) {
        for TableReport { table, found, added, duration_ms, rows_per_second } in &self.tables {
            let seconds = format!("{}.{:03}", duration_ms / 1000, duration_ms % 1000);
            let rate = rows_per_second.map(|rate| format!(" in {seconds} s, {rate} rows/s")).unwrap_or_default();
            println!("✓ {table:<10} {added:>10} inserted{rate} ({found} existed)");
        }
        if self.tables.iter().all(|table| table.added == 0) {
            println!("All rows exist already; nothing was changed.");
        }
        for account in &self.known_passwords {
            println!("⚠ The password of {account} is publicly known: {account}");
        }
        if !self.known_passwords.is_empty() {
            println!("⚠ FOR DEMOS ONLY: CHANGE THESE PASSWORDS BEFORE OTHERS CAN REACH THE SERVER!");
        }
    }
}
