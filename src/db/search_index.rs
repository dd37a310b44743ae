//! Search indexes, created and dropped on demand, because they are too expensive for every database.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, query_as, raw_sql};

use super::{
    Db,
    dialect::search::{IndexKind, SearchIndex, SearchTexts},
    run,
};
use crate::error::Result;

/// All search indexes; those that need no extension come first. IP addresses have none: the B-tree index answers prefixes and
/// networks, and the planner would choose a second index by mistake.
const INDEXES: [SearchIndex; 9] = [
    SearchIndex { table: "audit_logs", column: "details", kind: IndexKind::Json },
    SearchIndex { table: "sessions", column: "context", kind: IndexKind::Json },
    SearchIndex { table: "audit_logs", column: "description", kind: IndexKind::Trigrams },
    SearchIndex { table: "audit_logs", column: "user_agent", kind: IndexKind::Trigrams },
    SearchIndex { table: "sessions", column: "title", kind: IndexKind::Trigrams },
    SearchIndex { table: "sessions", column: "thread_id", kind: IndexKind::Trigrams },
    SearchIndex { table: "users", column: "username", kind: IndexKind::Trigrams },
    SearchIndex { table: "users", column: "email", kind: IndexKind::Trigrams },
    SearchIndex { table: "users", column: "full_name", kind: IndexKind::Trigrams },
];

/// The result for an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It existed.
    Found,
    Created,
    /// It did not exist, and was to be dropped.
    Absent,
    Dropped,
    /// It needs an extension that does not exist.
    Skipped,
}

/// The progress of an operation.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Creating(&'a str),
    Finished(&'a str, State, Duration),
}

/// The result of an operation.
#[derive(Debug)]
pub struct Report {
    pub indexes: Vec<(String, State, Duration)>,
    /// The error of the extension, if it cannot be created; then there are no trigram indexes.
    pub without_trigrams: Option<crate::error::Error>,
}

/// Creates the missing indexes, one after the other. `None` if the database has no search indexes.
pub async fn create(db: &Db, on_event: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<Option<Report>> {
    let Some(texts) = db.texts().search else { return Ok(None) };
    run(db, texts.settings.to_owned()).await?;
    let without_trigrams = run(db, texts.trigrams.to_owned()).await.err();
    let existing = existing(db, texts).await?;
    let mut report = Report { indexes: Vec::new(), without_trigrams };
    for index in INDEXES {
        let (name, started) = (index.name(), Instant::now());
        let state = match existing.iter().find(|(existing, _)| *existing == name) {
            Some((_, true)) => State::Found,
            _ if index.kind == IndexKind::Trigrams && report.without_trigrams.is_some() => State::Skipped,
            invalid => {
                on_event(Event::Creating(&name));
                if invalid.is_some() {
                    run(db, index.drop()).await?;
                }
                run(db, index.create()).await?;
                State::Created
            }
        };
        report.finish(name, state, started, on_event);
    }
    Ok(Some(report))
}

/// Drops the indexes. The extension stays, as other programs may use it.
pub async fn drop(db: &Db, on_event: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<Option<Report>> {
    let Some(texts) = db.texts().search else { return Ok(None) };
    let existing = existing(db, texts).await?;
    let mut report = Report { indexes: Vec::new(), without_trigrams: None };
    for index in INDEXES {
        let (name, started) = (index.name(), Instant::now());
        let mut state = State::Absent;
        if existing.iter().any(|(existing, _)| *existing == name) {
            run(db, index.drop()).await?;
            state = State::Dropped;
        }
        report.finish(name, state, started, on_event);
    }
    Ok(Some(report))
}

impl Report {
    fn finish(&mut self, name: String, state: State, started: Instant, on_event: &mut (dyn FnMut(Event<'_>) + Send)) {
        let took = started.elapsed();
        on_event(Event::Finished(&name, state, took));
        self.indexes.push((name, state, took));
    }
}

async fn existing(db: &Db, texts: &SearchTexts) -> Result<Vec<(String, bool)>> {
    run!(db, connection => query_as(texts.existing).fetch_all(connection).await)
}

async fn run(db: &Db, text: String) -> Result<()> {
    let done: Result<u64> =
        run!(db, connection => raw_sql(AssertSqlSafe(text)).execute(connection).await.map(|done| done.rows_affected()));
    done.map(|_| ())
}
