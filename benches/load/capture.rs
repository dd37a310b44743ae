//! The statements that the server sends for a request, as PostgreSQL itself logs them with their values.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::PgConnection;

use crate::{Result, client::Connection, postgres::Cluster};

/// A statement and the values of `$1`, `$2` and so on; `None` is null.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub text: String,
    pub values: Vec<Option<String>>,
}

const MARK: &str = "select 'the next request follows'";
const PATIENCE: Duration = Duration::from_secs(5);
const TRIES: usize = 6;

/// Sends the requests one after the other, and tells for each what it made the server send. It does so until it sees the
/// same statements twice: now and then there is one that belongs to no request, such as a look for new signing keys.
pub async fn capture(
    cluster: &Cluster,
    connection: &mut Connection,
    requests: &[Vec<u8>],
) -> Result<Vec<Vec<Statement>>> {
    let mut admin = cluster.connect("postgres").await?;
    log_statements(&mut admin, true).await?;
    let captured = twice_the_same(cluster, &mut admin, connection, requests).await;
    log_statements(&mut admin, false).await?;
    captured
}

async fn log_statements(admin: &mut PgConnection, on: bool) -> Result<()> {
    let setting = if on { "alter system set log_statement = 'all'" } else { "alter system reset log_statement" };
    sqlx::raw_sql(setting).execute(&mut *admin).await?;
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut *admin).await?;
    // Each connection learns of it before its next statement, once the signal has come.
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(())
}

async fn twice_the_same(
    cluster: &Cluster,
    admin: &mut PgConnection,
    connection: &mut Connection,
    requests: &[Vec<u8>],
) -> Result<Vec<Vec<Statement>>> {
    let texts = |all: &[Vec<Statement>]| -> Vec<Vec<String>> {
        // Those of one request may run side by side, so their order may change.
        let sorted = |statements: &Vec<Statement>| {
            let mut texts: Vec<_> = statements.iter().map(|statement| statement.text.clone()).collect();
            texts.sort();
            texts
        };
        all.iter().map(sorted).collect()
    };
    let mut last = None;
    for _ in 0..TRIES {
        let begin = usize::try_from(fs::metadata(&cluster.log)?.len())?;
        sqlx::raw_sql(MARK).execute(&mut *admin).await?;
        for request in requests {
            connection.send(request).await?;
            sqlx::raw_sql(MARK).execute(&mut *admin).await?;
        }
        let captured = read(cluster, begin, requests.len()).await?;
        let seen = texts(&captured);
        if last.as_ref() == Some(&seen) && seen.iter().all(|texts| !texts.is_empty()) {
            return Ok(captured);
        }
        last = Some(seen);
    }
    Err(format!("the statements of a request differ each time, or there are none: {last:?}").into())
}

/// What was logged from there on, between so many marks; the log is written a moment later than it happens.
async fn read(cluster: &Cluster, begin: usize, requests: usize) -> Result<Vec<Vec<Statement>>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let log = fs::read(&cluster.log)?;
        let mut parts: Vec<Vec<Statement>> = Vec::new();
        for line in log[begin..].split(|byte| *byte == b'\n') {
            // The last line may not be complete yet.
            let Ok(entry) = serde_json::from_slice::<Value>(line) else { continue };
            let message = entry["message"].as_str().unwrap_or_default();
            if entry["application_name"] == "bench" {
                if message.contains(MARK) {
                    parts.push(Vec::new());
                }
            } else if let (Some(statement), Some(part)) = (statement(message, &entry["detail"])?, parts.last_mut()) {
                part.push(statement);
            }
        }
        if parts.len() > requests {
            parts.truncate(requests);
            return Ok(parts);
        }
        if Instant::now() > until {
            return Err("PostgreSQL does not log the statements".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn statement(message: &str, detail: &Value) -> Result<Option<Statement>> {
    let text = match message.split_once(": ") {
        Some(("statement", text)) => text,
        Some((kind, text)) if kind.starts_with("execute ") => text,
        _ => return Ok(None),
    };
    let values = match detail.as_str().and_then(|detail| detail.split_once(": ")) {
        Some((_, values)) => parse(values)?,
        None => Vec::new(),
    };
    Ok(Some(Statement { text: text.to_owned(), values }))
}

/// The values in `$1 = 'it''s', $2 = NULL`.
fn parse(text: &str) -> Result<Vec<Option<String>>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(" = ") {
        let Some(mut quoted) = after.strip_prefix('\'') else {
            values.push(None);
            rest = after;
            continue;
        };
        let mut value = String::new();
        loop {
            let (part, after) = quoted.split_once('\'').ok_or("a value does not end")?;
            value.push_str(part);
            if let Some(after) = after.strip_prefix('\'') {
                value.push('\'');
                quoted = after;
            } else {
                rest = after;
                break;
            }
        }
        values.push(Some(value));
    }
    Ok(values)
}

impl Statement {
    /// The text with something else in each parameter's place.
    pub fn with(&self, mut place: impl FnMut(usize, Option<&String>) -> String) -> String {
        let mut text = String::new();
        let mut rest = &*self.text;
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            match after[..digits].parse::<usize>() {
                Ok(number) if (1..=self.values.len()).contains(&number) => {
                    text.push_str(&place(number, self.values[number - 1].as_ref()));
                }
                _ => {
                    text.push('$');
                    text.push_str(&after[..digits]);
                }
            }
            rest = &after[digits..];
        }
        text.push_str(rest);
        text
    }
}
