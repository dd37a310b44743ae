//! What agents and scripts record in the audit log. What only the server can know, they cannot write.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{
    Actor,
    text::{check_json, check_lines},
};
use crate::{
    auth::Credential,
    db::audit_logs,
    error::{Error, Result},
    model::{AuditAction, AuditLog, AuditLogId, RawJson, UserId},
};

const MAX_DESCRIPTION_CHARS: usize = 4_000;
/// The actions that do not describe what the server did.
const RECORDABLE: [AuditAction; 2] = [AuditAction::QueryAgent, AuditAction::AgentExecution];
/// The field of `details` in which the server says what only it knows: `recordedBy`, `apiToken`.
const RESERVED_KEY: &str = "guardianeye";

/// An entry that somebody wants to have in the audit log.
#[derive(Debug)]
pub struct NewEntry {
    pub action: AuditAction,
    pub description: Option<String>,
    /// A JSON object.
    pub details: Option<RawJson>,
    pub success: bool,
    /// Who did it; the caller by default.
    pub user: Option<UserId>,
}

/// Records an entry; the address, the client and the time are the request's.
pub async fn record(actor: Actor<'_>, new: NewEntry) -> Result<AuditLog> {
    if !RECORDABLE.contains(&new.action) {
        return Err(Error::bad_input(
            "action",
            "QUERY_AGENT and AGENT_EXECUTION can be recorded; the others are recorded by the server only",
        ));
    }
    check_lines("description", new.description.as_deref(), MAX_DESCRIPTION_CHARS)?;
    let mut details = match new.details.map(|details| check_json("details", &details)).transpose()? {
        None | Some(Value::Null) => serde_json::Map::new(),
        Some(Value::Object(details)) => details,
        Some(_) => return Err(Error::bad_input("details", "the details are a JSON object")),
    };
    if details.keys().any(|key| is_reserved(key)) {
        let message = format!("the key `{RESERVED_KEY}` is reserved for the server: choose another one");
        return Err(Error::bad_input("details", message));
    }
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let owner = actor.owner(&mut tx, new.user).await?;
    if let Some(facts) = facts(actor, owner.id) {
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
        return Err(Error::internal("the id of a new audit log entry is taken"));
    }
    tx.commit().await?;
    Ok(entry)
}

/// Whether a key is the server's, or looks like it: in another case or form, or with characters that do not show.
fn is_reserved(key: &str) -> bool {
    key.nfkc().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).eq(RESERVED_KEY.chars())
}

/// What the server says of an entry that a client records: who recorded it for another user, and by which API token.
fn facts(actor: Actor<'_>, owner: UserId) -> Option<Value> {
    let mut facts = serde_json::Map::new();
    if owner != actor.principal.user.id {
        facts.insert("recordedBy".to_owned(), actor.principal.user.id.to_string().into());
    }
    if let Credential::ApiToken(id, _) = &actor.principal.credential {
        facts.insert("apiToken".to_owned(), id.to_string().into());
    }
    (!facts.is_empty()).then_some(Value::Object(facts))
}
