//! Audit log entries that agents and scripts record. Facts that only the server knows cannot be forged in them.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{
    Actor,
    validation::{check_json, check_lines},
};
use crate::{
    auth::Credential,
    db::audit_logs,
    error::{Error, Result},
    model::{AuditAction, AuditLog, AuditLogId, RawJson, UserId},
};

const MAX_DESCRIPTION_CHARS: usize = 4_000;
/// The actions of agents; all others describe what the server did.
const RECORDABLE: [AuditAction; 2] = [AuditAction::QueryAgent, AuditAction::AgentExecution];
/// The field of `details` for the server's own facts: `recordedBy`, `apiToken`.
const RESERVED_KEY: &str = "guardianeye";

/// An entry to record.
#[derive(Debug)]
pub struct NewAuditLog {
    pub action: AuditAction,
    pub description: Option<String>,
    /// A JSON object.
    pub details: Option<RawJson>,
    pub success: bool,
    /// The user who acted; the actor by default.
    pub user: Option<UserId>,
}

/// Records an entry, with the address, the user agent and the time of the request.
pub async fn record(actor: Actor<'_>, new: NewAuditLog) -> Result<AuditLog> {
    if !RECORDABLE.contains(&new.action) {
        return Err(Error::bad_input(
            "action",
            "only QUERY_AGENT and AGENT_EXECUTION can be recorded; the server records the other actions",
        ));
    }
    check_lines("description", new.description.as_deref(), MAX_DESCRIPTION_CHARS)?;
    let mut details = match new.details.map(|details| check_json("details", &details)).transpose()? {
        None | Some(Value::Null) => serde_json::Map::new(),
        Some(Value::Object(details)) => details,
        Some(_) => return Err(Error::bad_input("details", "`details` must be a JSON object")),
    };
    if details.keys().any(|key| is_reserved(key)) {
        let message = format!("the key `{RESERVED_KEY}` is reserved for the server: use another one");
        return Err(Error::bad_input("details", message));
    }
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let owner = actor.owner(&mut tx, new.user).await?;
    if let Some(facts) = server_facts(actor, owner.id) {
        details.insert(RESERVED_KEY.to_owned(), facts);
    }
    let details = (!details.is_empty()).then(|| RawJson(Value::Object(details).to_string()));
    let entry = AuditLog {
        id: AuditLogId::new(now),
        user_id: Some(owner.id),
        username: Some(owner.username),
        action: new.action,
        details,
        description: new.description,
        ip_address: actor.client.ip_address.clone(),
        user_agent: actor.client.user_agent.clone(),
        success: new.success,
        timestamp: now,
    };
    if !audit_logs::insert(&mut tx, &entry).await? {
        return Err(Error::internal("the id of a new audit log entry exists already"));
    }
    tx.commit().await?;
    Ok(entry)
}

/// Returns true if the key is the reserved one or looks like it: with another case, Unicode form or hidden characters.
fn is_reserved(key: &str) -> bool {
    key.nfkc().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).eq(RESERVED_KEY.chars())
}

/// The server's own facts about an entry: who recorded it for another user, and with which API token.
fn server_facts(actor: Actor<'_>, owner: UserId) -> Option<Value> {
    let mut facts = serde_json::Map::new();
    if owner != actor.principal.user.id {
        facts.insert("recordedBy".to_owned(), actor.principal.user.id.to_string().into());
    }
    if let Credential::ApiToken(id, _) = &actor.principal.credential {
        facts.insert("apiToken".to_owned(), id.to_string().into());
    }
    (!facts.is_empty()).then_some(Value::Object(facts))
}
