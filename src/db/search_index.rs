//! The indexes that make searching quick, made and removed on demand: they are too dear for every database to have them.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, query_as, raw_sql};

use super::{Db, dialect::search, run};
use crate::error::Result;

/// An index of one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    pub table: &'static str,
    pub column: &'static str,
    pub kind: Kind,
}

/// What can be found by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a text holds or begins with, three letters or more.
    Text,
    /// What JSON holds.
    Json,
}

/// All of them; those that need no extension come first. Addresses have none: what they begin with and in which network
/// they lie is known to the plain index, which a second one would only distract from.
const INDEXES: [Index; 9] = [
    Index { table: "audit_logs", column: "details", kind: Kind::Json },
    Index { table: "sessions", column: "context", kind: Kind::Json },
    Index { table: "audit_logs", column: "description", kind: Kind::Text },
    Index { table: "audit_logs", column: "user_agent", kind: Kind::Text },
    Index { table: "sessions", column: "title", kind: Kind::Text },
    Index { table: "sessions", column: "thread_id", kind: Kind::Text },
    Index { table: "users", column: "username", kind: Kind::Text },
    Index { table: "users", column: "email", kind: Kind::Text },
    Index { table: "users", column: "full_name", kind: Kind::Text },
];

impl Index {
    #[must_use]
    pub fn name(&self) -> String {
        format!("ix_search_{}_{}", self.table, self.column)
    }
}

/// What became of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was there.
    Found,
    Made,
    /// It was not there, and was not to be.
    Absent,
    Dropped,
    /// It needs the extension that is not there.
    Skipped,
}

/// What is going on, for whoever waits.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Making(&'a str),
    Ended(&'a str, State, Duration),
}

/// How it ended.
#[derive(Debug)]
pub struct Report {
    pub indexes: Vec<(String, State, Duration)>,
    /// Why there is no index of texts.
    pub without_trigrams: Option<crate::error::Error>,
}

/// Makes the indexes that are not there, one after the other; `None` where the database has nothing like them.
pub async fn make(db: &Db, tell: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<Option<Report>> {
    let Some(texts) = db.texts().search else { return Ok(None) };
    run(db, texts.settings.to_owned()).await?;
    let without_trigrams = run(db, texts.trigrams.to_owned()).await.err();
    let found = found(db, texts).await?;
    let mut report = Report { indexes: Vec::new(), without_trigrams };
    for index in INDEXES {
        let (name, started) = (index.name(), Instant::now());
        let state = match found.iter().find(|(found, _)| *found == name) {
            Some((_, true)) => State::Found,
            _ if index.kind == Kind::Text && report.without_trigrams.is_some() => State::Skipped,
            broken => {
                tell(Event::Making(&name));
                if broken.is_some() {
                    run(db, search::drop(&name)).await?;
                }
                run(db, search::create(&index)).await?;
                State::Made
            }
        };
        report.note(name, state, started, tell);
    }
    Ok(Some(report))
}

/// Removes the indexes; the extension stays, as others may use it.
pub async fn drop(db: &Db, tell: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<Option<Report>> {
    let Some(texts) = db.texts().search else { return Ok(None) };
    let found = found(db, texts).await?;
    let mut report = Report { indexes: Vec::new(), without_trigrams: None };
    for index in INDEXES {
        let (name, started) = (index.name(), Instant::now());
        let mut state = State::Absent;
        if found.iter().any(|(found, _)| *found == name) {
            run(db, search::drop(&name)).await?;
            state = State::Dropped;
        }
        report.note(name, state, started, tell);
    }
    Ok(Some(report))
}

impl Report {
    fn note(&mut self, name: String, state: State, started: Instant, tell: &mut (dyn FnMut(Event<'_>) + Send)) {
        let took = started.elapsed();
        tell(Event::Ended(&name, state, took));
        self.indexes.push((name, state, took));
    }
}

async fn found(db: &Db, texts: &search::Texts) -> Result<Vec<(String, bool)>> {
    run!(db, connection => query_as(texts.found).fetch_all(connection).await)
}

async fn run(db: &Db, text: String) -> Result<()> {
    let done: Result<u64> =
        run!(db, connection => raw_sql(AssertSqlSafe(text)).execute(connection).await.map(|done| done.rows_affected()));
    done.map(|_| ())
}
