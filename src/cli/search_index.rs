//! `guardianeye db search-index`: creates or drops the search indexes, and shows the progress.

use std::{process::ExitCode, time::Duration};

use serde::Serialize;

use super::{database, output};
use crate::{
    config::{Common, SearchIndexArgs},
    db::{
        Settings,
        search_index::{self, Event, State},
    },
    error::Result,
};

pub async fn run(common: &Common, args: SearchIndexArgs) -> Result<ExitCode> {
    let report = match work(common, &args).await {
        Ok(report) => report,
        Err(error) if args.json => Report { error: Some(error.chain()), ..Report::default() },
        Err(error) => return Err(error),
    };
    if args.json {
        output::print_json(&report)?;
    } else if let Some(error) = &report.error {
        eprintln!("error: {error}");
    } else if report.indexes.is_empty() {
        println!("SQLite has no search indexes: nothing to do.");
    } else {
        println!("✓ {}", if args.drop { "No search index exists" } else { "All search indexes exist" });
    }
    Ok(output::exit_code(report.ok))
}

async fn work(common: &Common, args: &SearchIndexArgs) -> Result<Report> {
    // One connection, so that the session settings apply to all statements.
    let db = database::connect(common, Settings { max_connections: Some(1), ..Settings::default() }).await?;
    if db.needs_operator() && !db.is_migrated().await? {
        return Err(database::not_migrated("run `guardianeye db init` first"));
    }
    let mut show = |event: Event<'_>| match event {
        _ if args.json => {}
        Event::Creating(name) => println!("  creating {name}..."),
        Event::Finished(name, state, took) => println!("✓ {name} {}", describe(state, took)),
    };
    let done =
        if args.drop { search_index::drop(&db, &mut show).await } else { search_index::create(&db, &mut show).await };
    let report = Report::new(db.kind(), done?);
    db.close().await;
    Ok(report)
}

fn describe(state: State, took: Duration) -> String {
    match state {
        State::Found => "existed".to_owned(),
        State::Created => format!("created in {:.1} s", took.as_secs_f64()),
        State::Absent => "did not exist".to_owned(),
        State::Dropped => "dropped".to_owned(),
        State::Skipped => "skipped: it needs pg_trgm".to_owned(),
    }
}

/// The JSON result. Fields may be added, but not removed or renamed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ok: bool,
    database: Option<&'static str>,
    /// Empty on SQLite.
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
            format!("only the JSON indexes exist: the extension pg_trgm cannot be created ({cause}); let the database owner run `create extension pg_trgm` and repeat the command")
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
        State::Created => "made",
        State::Absent => "absent",
        State::Dropped => "dropped",
        State::Skipped => "skipped",
    }
}
