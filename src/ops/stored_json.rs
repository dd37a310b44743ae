//! Finds rows whose JSON holds U+0000, halves of surrogate pairs or keys of `serde_json`'s own, which [`crate::json`] refuses. They are handed out as they are; they cannot be patched, and on
//! PostgreSQL those with U+0000 match no `contains`.

use uuid::Uuid;

use crate::{
    db::{Db, stored_json},
    error::Result,
    json,
    model::AnyId,
};

/// Rows that are named at most; who has more has a pattern to look for.
const MOST: usize = 1_000;

/// A row, and what is wrong with its JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub table: &'static str,
    pub id: AnyId,
    pub reason: String,
}

/// The rows, by table and id. It reads both tables whole.
pub async fn find(db: &Db) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (table, column) in [("sessions", "context"), ("audit_logs", "details")] {
        let mut after = AnyId(Uuid::nil());
        while found.len() < MOST {
            let rows = match table {
                "sessions" => stored_json::sessions(db, after).await?,
                _ => stored_json::audit_logs(db, after).await?,
            };
            let read = rows.len();
            for (id, text) in rows {
                after = id;
                if let Err(error) = json::read(column, text.as_bytes()) {
                    found.push(Finding { table, id, reason: error.message().to_owned() });
                }
            }
            if read < stored_json::PAGE {
                break;
            }
        }
    }
    found.truncate(MOST);
    Ok(found)
}
