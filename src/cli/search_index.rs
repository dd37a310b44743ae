//! `guardianeye db search-index`: makes or removes the indexes for searching, and tells what it does.

use std::{process::ExitCode, time::Duration};

use serde::Serialize;

use crate::{
    config::{Common, SearchIndexArgs},
    db::{
        Settings,
        search_index::{self, Event, State},
    },
    error::{Error, ErrorCode, Result},
};

pub async fn run(common: &Common, args: SearchIndexArgs) -> Result<ExitCode> {
    let report = match work(common, &args).await {
        Ok(report) => report,
        Err(error) if args.json => Report { error: Some(error.chain()), ..Report::default() },
        Err(error) => return Err(error),
    };
    if args.json {
        println!("{}", serde_json::to_string(&report).map_err(Error::internal)?);
    } else if let Some(error) = &report.error {
        eprintln!("error: {error}");
    } else if report.indexes.is_empty() {
        println!("SQLite has no indexes for searching: there is nothing to do.");
    } else {
        println!("✓ {}", if args.drop { "No index for searching is left" } else { "Searching is quick" });
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn work(common: &Common, args: &SearchIndexArgs) -> Result<Report> {
    // One connection, which keeps its settings.
    let db = super::connect(common, Settings { max_connections: Some(1), ..Settings::default() }).await?;
    if db.needs_operator() && !db.is_migrated().await? {
        let message = "the database's tables are missing or out of date: run `guardianeye db init` first";
        return Err(Error::new(ErrorCode::Conflict, message));
    }
    let mut show = |event: Event<'_>| match event {
        _ if args.json => {}
        Event::Making(name) => println!("  making {name}..."),
        Event::Ended(name, state, took) => println!("✓ {name} {}", told(state, took)),
    };
    let done =
        if args.drop { search_index::drop(&db, &mut show).await } else { search_index::make(&db, &mut show).await };
    let report = Report::new(db.kind(), done?);
    db.close().await;
    Ok(report)
}

fn told(state: State, took: Duration) -> String {
    match state {
        State::Found => "was there".to_owned(),
        State::Made => format!("made in {:.1} s", took.as_secs_f64()),
        State::Absent => "was not there".to_owned(),
        State::Dropped => "removed".to_owned(),
        State::Skipped => "left out: it needs pg_trgm".to_owned(),
    }
}

/// The result for programs. Fields may be added, none is removed or renamed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ok: bool,
    database: Option<&'static str>,
    /// Empty on a database that has nothing like them.
    indexes: Vec<IndexReport>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexReport {
    name: String,
    state: &'static str,
    duration_ms: u128,
}

impl Report {
    fn new(database: &'static str, report: Option<search_index::Report>) -> Self {
        let (indexes, missing) = report.map(|report| (report.indexes, report.without_trigrams)).unwrap_or_default();
        let error = missing.map(|cause| {
            let cause = cause.chain();
            format!("only JSON is quick to search: the extension pg_trgm cannot be created ({cause}); ask the database's owner to run `create extension pg_trgm`, and try again")
        });
        let indexes = indexes
            .into_iter()
            .map(|(name, state, took)| IndexReport { name, state: word(state), duration_ms: took.as_millis() })
            .collect();
        Self { ok: error.is_none(), database: Some(database), indexes, error }
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Found => "found",
        State::Made => "made",
        State::Absent => "absent",
        State::Dropped => "dropped",
        State::Skipped => "skipped",
    }
}
