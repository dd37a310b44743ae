//! Finds stored JSON that may violate the rules of [`crate::json`], written by an older program.

use sqlx::query_as;

use super::{Db, run};
use crate::{error::Result, model::AnyId};

/// The maximum number of rows that [`sessions`] and [`audit_logs`] return.
pub const PAGE: usize = 1_000;

/// LIKE patterns of such a text: an escaped U+0000, an unpaired surrogate, or a private key of `serde_json`.
const PATTERNS: [&str; 4] = ["%\\u0000%", "%\\ud%", "%\\uD%", "%$serde!_json::private::%"];

/// The ids and contexts of such sessions after this id, ordered by id.
pub async fn sessions(db: &Db, after: AnyId) -> Result<Vec<(AnyId, String)>> {
    read(db, SESSIONS, after).await
}

/// The ids and details of such audit log entries after this id, ordered by id.
pub async fn audit_logs(db: &Db, after: AnyId) -> Result<Vec<(AnyId, String)>> {
    read(db, AUDIT_LOGS, after).await
}

const SESSIONS: &str = "
    select id, cast(context as text) from sessions where id > $1 and (cast(context as text) like $2 escape '!'
        or cast(context as text) like $3 escape '!' or cast(context as text) like $4 escape '!'
        or cast(context as text) like $5 escape '!')
    order by id limit 1000";
const AUDIT_LOGS: &str = "
    select id, cast(details as text) from audit_logs where id > $1 and (cast(details as text) like $2 escape '!'
        or cast(details as text) like $3 escape '!' or cast(details as text) like $4 escape '!'
        or cast(details as text) like $5 escape '!')
    order by id limit 1000";

async fn read(db: &Db, statement: &'static str, after: AnyId) -> Result<Vec<(AnyId, String)>> {
    let [nul, low, high, key] = PATTERNS;
    run!(db, connection => query_as(statement)
        .bind(after)
        .bind(nul)
        .bind(low)
        .bind(high)
        .bind(key)
        .fetch_all(connection)
        .await)
}
