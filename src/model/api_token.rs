//! API tokens and their scopes.

use std::{fmt, str::FromStr};

use super::{ApiTokenId, Timestamp, UnknownText, UserId, text_enum::text_enum};

text_enum! {
    /// A permission of an API token, within those of its owner.
    Scope {
        /// Reads the data that the owner may read.
        Read = "read",
        /// Writes sessions.
        WriteSessions = "write_sessions",
        /// Records audit log entries.
        WriteAudit = "write_audit",
        /// Manages users, if the owner is an admin.
        ManageUsers = "manage_users",
    }
}

/// An API token, without the text of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub user_id: UserId,
    pub name: String,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Accurate to the minute.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A set of scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// A set of these scopes, in the order of [`Scope`].
    #[must_use]
    pub fn new(mut scopes: Vec<Scope>) -> Self {
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }

    /// Returns true if the set contains the scope.
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// The scopes, in the order of [`Scope`].
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Scopes {
    /// The texts of the scopes, each followed by a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|scope| write!(f, "{} ", scope.as_str()))
    }
}

impl FromStr for Scopes {
    type Err = UnknownText;

    fn from_str(text: &str) -> Result<Self, UnknownText> {
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self::new)
    }
}
