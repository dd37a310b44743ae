//! Stored JSON that may break the rules of [`crate::json`], which an older program did not know.

use sqlx::query_as;

use super::{Db, run};
use crate::{error::Result, model::AnyId};

/// Rows that [`sessions`] and [`audit_logs`] read at once.
pub const PAGE: usize = 1_000;

/// What such a text holds: escaped U+0000, halves of surrogate pairs, or a key of `serde_json`'s own.
const SIGNS: [&str; 4] = ["%\\u0000%", "%\\ud%", "%\\uD%", "%$serde!_json::private::%"];

/// Ids and contexts of sessions after this id, in the order of ids.
pub async fn sessions(db: &Db, after: AnyId) -> Result<Vec<(AnyId, String)>> {
    read(db, SESSIONS, after).await
}

/// Ids and details of audit log entries after this id, in the order of ids.
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
    let [nul, low, high, key] = SIGNS;
    run!(db, connection => query_as(statement)
        .bind(after)
        .bind(nul)
        .bind(low)
        .bind(high)
        .bind(key)
        .fetch_all(connection)
        .await)
}
