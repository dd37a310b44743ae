//! The entries of the audit log, each written in the transaction of what it records.

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
    /// None when the system has no name for the id, as in some containers.
    pub name: Option<String>,
    pub uid: u32,
}

/// Who does something, and from where.
#[derive(Clone, Copy, Debug, Default)]
pub struct By<'a> {
    user: Option<&'a User>,
    client: Option<&'a Client>,
    credential: Option<&'a Credential>,
    operator: Option<&'a Operator>,
    /// The name of somebody who is no user.
    username: Option<&'a str>,
}

impl<'a> By<'a> {
    /// A command, run by an operating-system user where the system has such.
    #[must_use]
    pub fn command(operator: Option<&'a Operator>) -> Self {
        Self { operator, ..Self::default() }
    }

    /// A user who is only now logging in, or nobody known.
    #[must_use]
    pub fn client(user: Option<&'a User>, client: &'a Client) -> Self {
        Self { user, client: Some(client), ..Self::default() }
    }

    /// Whoever tried to log in: as this user, or by a name that no user has.
    #[must_use]
    pub fn attempt(user: Option<&'a User>, username: Option<&'a str>, client: &'a Client) -> Self {
        Self { username, ..Self::client(user, client) }
    }

    /// Whoever is signed in.
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

/// What is recorded.
#[derive(Debug)]
pub struct Entry {
    action: AuditAction,
    description: String,
    success: bool,
    details: Map<String, Value>,
}

impl Entry {
    /// Something that succeeded, with a sentence for people.
    #[must_use]
    pub fn new(action: AuditAction, description: impl Into<String>) -> Self {
        Self { action, description: description.into(), success: true, details: Map::new() }
    }

    /// It did not succeed.
    #[must_use]
    pub fn failed(self) -> Self {
        Self { success: false, ..self }
    }

    /// More about it, for programs. Never a secret.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// The user whom it is about.
    #[must_use]
    pub fn about(self, user: &User) -> Self {
        self.detail("user", json!({ "id": user.id.to_string(), "username": user.username }))
    }

    /// What was changed.
    #[must_use]
    pub fn changes(self, changes: Changes) -> Self {
        self.detail("changes", changes.0)
    }

    /// Writes it.
    pub async fn record(self, tx: &mut Tx, by: By<'_>, now: Timestamp) -> Result<AuditLog> {
        let mut details = self.details;
        if let Some(Credential::ApiToken(id, _)) = by.credential {
            details.insert("apiToken".to_owned(), id.to_string().into());
        }
        let description = match by.operator {
            None => self.description,
            Some(Operator { name, uid }) => {
                details.insert("operatingSystemUser".to_owned(), json!({ "name": name, "uid": uid }));
                let who = name.clone().unwrap_or_else(|| format!("user {uid}"));
                format!("{} (by {who} on the command line)", self.description)
            }
        };
        let entry = AuditLog {
            id: AuditLogId::new(now),
            user_id: by.user.map(|user| user.id),
            username: by.user.map(|user| user.username.as_str()).or(by.username).map(str::to_owned),
            action: self.action,
            details: (!details.is_empty()).then(|| RawJson(Value::Object(details).to_string())),
            description: Some(description),
            ip_address: by.client.and_then(|client| client.ip_address.clone()),
            user_agent: by.client.and_then(|client| client.user_agent.clone()),
            success: self.success,
            timestamp: now,
        };
        if audit_logs::insert(tx, &entry).await? {
            Ok(entry)
        } else {
            Err(Error::internal("the id of a new audit log entry is taken"))
        }
    }
}

/// The fields that a change touched, each with its value before and after.
#[derive(Debug, Default)]
pub struct Changes(Map<String, Value>);

impl Changes {
    /// A field; left out when its value stays, the order of keys included. Of a large value the log keeps what identifies it.
    #[must_use]
    pub fn field(mut self, name: &str, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        let (before, after) = (before.into(), after.into());
        let texts = [before.to_string(), after.to_string()];
        if texts[0] != texts[1] {
            let [old, new] = texts;
            self.0.insert(name.to_owned(), json!({ "before": small(before, &old), "after": small(after, &new) }));
        }
        self
    }

    /// Whether nothing was touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bytes up to which a value is kept as it is.
const SMALL: usize = 4_096;

fn small(value: Value, text: &str) -> Value {
    if text.len() <= SMALL { value } else { digest(text) }
}

/// What identifies a text that the log does not keep.
pub(super) fn digest(text: &str) -> Value {
    json!({ "bytes": text.len(), "sha256": format!("{:x}", Sha256::digest(text)) })
}
