//! Audit log entries of the use cases, each written in the transaction of what it records.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Client;
use crate::{
    auth::{Authenticated, Credential},
    db::{Tx, audit_logs},
    error::{Error, Result},
    model::{AuditAction, AuditLog, AuditLogId, RawJson, Timestamp, User},
};

/// The operating-system user who runs a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// `None` if the system has no name for the id, as in some containers.
    pub name: Option<String>,
    pub uid: u32,
}

/// Who an entry is attributed to, and where the request came from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attribution<'a> {
    user: Option<&'a User>,
    client: Option<&'a Client>,
    credential: Option<&'a Credential>,
    operator: Option<&'a Operator>,
    /// The name of a login attempt that belongs to no user.
    username: Option<&'a str>,
}

impl<'a> Attribution<'a> {
    /// A command on the command line, with the operating-system user where the system has one.
    #[must_use]
    pub fn command(operator: Option<&'a Operator>) -> Self {
        Self { operator, ..Self::default() }
    }

    /// A client, with the user who is logging in, if known.
    #[must_use]
    pub fn client(user: Option<&'a User>, client: &'a Client) -> Self {
        Self { user, client: Some(client), ..Self::default() }
    }

    /// A login attempt: of this user, or under a name that belongs to no user.
    #[must_use]
    pub fn login_attempt(user: Option<&'a User>, username: Option<&'a str>, client: &'a Client) -> Self {
        Self { username, ..Self::client(user, client) }
    }

    /// An authenticated principal.
    #[must_use]
    pub fn principal(principal: &'a Authenticated, client: &'a Client) -> Self {
        Self {
            user: Some(&principal.user),
            client: Some(client),
            credential: Some(&principal.credential),
            ..Self::default()
        }
    }
}

/// An entry before it is written.
#[derive(Debug)]
pub struct AuditEntry {
    action: AuditAction,
    description: String,
    success: bool,
    details: Map<String, Value>,
}

impl AuditEntry {
    /// An entry for an action that succeeded, with a description for people.
    #[must_use]
    pub fn new(action: AuditAction, description: impl Into<String>) -> Self {
        Self { action, description: description.into(), success: true, details: Map::new() }
    }

    /// Marks the action as failed.
    #[must_use]
    pub fn failed(self) -> Self {
        Self { success: false, ..self }
    }

    /// Adds a field of `details`, for programs; never a secret.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Adds the user that the action is about.
    #[must_use]
    pub fn about(self, user: &User) -> Self {
        self.detail("user", json!({ "id": user.id.to_string(), "username": user.username }))
    }

    /// Adds the changed fields.
    #[must_use]
    pub fn changes(self, changes: FieldChanges) -> Self {
        self.detail("changes", changes.0)
    }

    /// Writes the entry.
    pub async fn record(self, tx: &mut Tx, attribution: Attribution<'_>, now: Timestamp) -> Result<AuditLog> {
        tracing::trace!(target: "request_path", "record");
        let mut details = self.details;
        if let Some(Credential::ApiToken(id, _)) = attribution.credential {
            details.insert("apiToken".to_owned(), id.to_string().into());
        }
        let description = match attribution.operator {
            None => self.description,
            Some(Operator { name, uid }) => {
                details.insert("operatingSystemUser".to_owned(), json!({ "name": name, "uid": uid }));
                let operator = name.clone().unwrap_or_else(|| format!("user {uid}"));
                format!("{} (by {operator} on the command line)", self.description)
            }
        };
        let entry = AuditLog {
            id: AuditLogId::new(now),
            user_id: attribution.user.map(|user| user.id),
            username: attribution.user.map(|user| user.username.as_str()).or(attribution.username).map(str::to_owned),
            action: self.action,
            details: (!details.is_empty()).then(|| RawJson(Value::Object(details).to_string())),
            description: Some(description),
            ip_address: attribution.client.and_then(|client| client.ip_address.clone()),
            user_agent: attribution.client.and_then(|client| client.user_agent.clone()),
            success: self.success,
            timestamp: now,
        };
        if audit_logs::insert(tx, &entry).await? {
            Ok(entry)
        } else {
            Err(Error::internal("the id of a new audit log entry exists already"))
        }
    }
}

/// The fields that an update changed, each with its value before and after.
#[derive(Debug, Default)]
pub struct FieldChanges(Map<String, Value>);

impl FieldChanges {
    /// Adds a field unless its value is unchanged, including the order of keys. A large value is recorded by its digest.
    #[must_use]
    pub fn field(mut self, name: &str, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        let (before, after) = (before.into(), after.into());
        let (old, new) = (before.to_string(), after.to_string());
        if old != new {
            self.0.insert(name.to_owned(), json!({ "before": recorded(before, &old), "after": recorded(after, &new) }));
        }
        self
    }

    /// Returns true if no field was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The maximum size of a recorded value in bytes.
const MAX_RECORDED: usize = 4_096;

fn recorded(value: Value, text: &str) -> Value {
    if text.len() <= MAX_RECORDED { value } else { digest(text) }
}

/// The size and the hash of a text that is too large for the log.
pub(super) fn digest(text: &str) -> Value {
    json!({ "bytes": text.len(), "sha256": format!("{:x}", Sha256::digest(text)) })
}
