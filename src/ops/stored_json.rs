//! Finds rows with JSON that [`crate::json`] rejects: U+0000, unpaired surrogates, or keys that are private to `serde_json`. Such
//! values are returned to clients unchanged, but cannot be patched; on PostgreSQL, values with U+0000 match no `contains`.

use uuid::Uuid;

use crate::{
    db::{Db, stored_json},
    error::Result,
    json,
    model::AnyId,
};

/// The maximum number of reported rows.
const MAX_FINDINGS: usize = 1_000;

/// A row with invalid JSON, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub table: &'static str,
    pub id: AnyId,
    pub reason: String,
}

/// The rows with invalid JSON, by table and id. Reads both tables completely.
pub async fn find(db: &Db) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (table, column) in [("sessions", "context"), ("audit_logs", "details")] {
        let mut after = AnyId(Uuid::nil());
        while found.len() < MAX_FINDINGS {
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
    found.truncate(MAX_FINDINGS);
    Ok(found)
}
