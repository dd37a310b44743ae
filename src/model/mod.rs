//! The words of the domain: typed ids, times, roles, actions and the three things the server is about.
//! No SQL and no GraphQL here; both layers map to and from these types.

mod interval;
mod timestamp;

use std::{fmt, str::FromStr};

use uuid::Uuid;

pub use self::{
    interval::Interval,
    timestamp::{NotATime, Timestamp},
};

/// Ids of different tables are different types, so a session's id can never be asked for as a user's.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new UUIDv7 (RFC 9562), so new rows lie together in the index.
            #[must_use]
            pub fn new(now: Timestamp) -> Self {
                let at = now.datetime();
                let unix = uuid::Timestamp::from_unix(
                    uuid::NoContext,
                    u64::try_from(at.timestamp()).unwrap_or_default(),
                    at.timestamp_subsec_nanos(),
                );
                Self(Uuid::new_v7(unix))
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// The id of a user.
    UserId,
    /// The id of a conversation session.
    SessionId,
    /// The id of an audit log entry.
    AuditLogId,
    /// The id of an auth session, which is a login.
    AuthSessionId,
    /// The id of an API token.
    ApiTokenId,
    /// The id of a signing key: the `kid` of the tokens it signs.
    KeyId,
    /// The id of a row whose table is not known yet.
    AnyId,
}

/// Enums that are stored and logged by a fixed word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word it is stored as.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(stringify!($name))),
                }
            }
        }
    };
}

/// A stored word that this version of the program does not know.
#[derive(Debug, thiserror::Error)]
#[error("not a known {0}")]
pub struct UnknownWord(&'static str);

words! {
    /// What a user may do. Ordered: whatever a viewer may do, an analyst may, and an admin may all of it.
    Role {
        /// Sees the own profile, sessions and audit logs.
        Viewer = "viewer",
        /// Reads everybody's data and writes own sessions.
        Analyst = "analyst",
        /// Does everything, user management included.
        Admin = "admin",
    }
}

words! {
    /// What an audit log entry records.
    AuditAction {
        /// A successful login.
        Login = "login",
        /// A logout.
        Logout = "logout",
        /// A login that was refused.
        FailedLogin = "failed_login",
        /// A question put to an agent.
        QueryAgent = "query_agent",
        /// An agent that ran.
        AgentExecution = "agent_execution",
        /// A user was created.
        UserCreated = "user_created",
        /// A user was changed.
        UserUpdated = "user_updated",
        /// A user was deleted.
        UserDeleted = "user_deleted",
        /// A conversation session was opened.
        SessionCreated = "session_created",
        /// A conversation session was ended.
        SessionEnded = "session_ended",
        /// A setting was changed.
        ConfigChanged = "config_changed",
        /// A password was changed.
        PasswordChanged = "password_changed",
        /// An API token was made.
        TokenCreated = "token_created",
        /// An API token, or a login with its tokens, was revoked.
        TokenRevoked = "token_revoked",
        /// A refresh token was used a second time; its login was ended.
        TokenReuse = "token_reuse",
        /// A conversation session was changed.
        SessionUpdated = "session_updated",
        /// A conversation session was deleted.
        SessionDeleted = "session_deleted",
        /// Something was refused for want of a role, a scope or ownership.
        AccessDenied = "access_denied",
        /// A request went over a limit.
        LimitExceeded = "limit_exceeded",
    }
}

words! {
    /// What an API token may be used for, within what its owner may do.
    Scope {
        /// Reads what the owner may read.
        Read = "read",
        /// Writes conversation sessions.
        WriteSessions = "write_sessions",
        /// Records audit log entries.
        WriteAudit = "write_audit",
        /// Manages users, when the owner is an admin.
        ManageUsers = "manage_users",
    }
}

/// JSON as the text it was stored as: carried from the database to the client without being parsed and printed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(pub String);

impl AsRef<str> for RawJson {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Somebody who can log in. The password's hash is not part of it: see [`Credentials`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: String,
    pub role: Role,
    pub is_active: bool,
    pub full_name: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_login: Option<Timestamp>,
}

/// What a login is checked against.
#[derive(Debug)]
pub struct Credentials {
    pub user: User,
    pub hashed_password: secrecy::SecretString,
    /// Whether the user has to choose another password, as somebody else chose this one.
    pub password_change_required: bool,
}

/// A conversation with agents: a LangGraph thread. Not a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub thread_id: Option<String>,
    pub context: Option<RawJson>,
    pub title: Option<String>,
    pub is_active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLog {
    pub id: AuditLogId,
    /// Who did it; absent for the system itself, and after that user was deleted.
    pub user_id: Option<UserId>,
    /// The user name of who did it, as it was then; absent in entries of older programs.
    pub username: Option<String>,
    pub action: AuditAction,
    pub details: Option<RawJson>,
    pub description: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub success: bool,
    pub timestamp: Timestamp,
}

/// A login: from the password to the logout, over many access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSession {
    pub id: AuthSessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    /// When its last access token was issued.
    pub last_used_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// Where it was begun from.
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// Since when it is ended, if it was ended before its time.
    pub revoked_at: Option<Timestamp>,
}

/// A token for scripts, without the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub user_id: UserId,
    pub name: String,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Some scopes, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// In the order of [`Scope`].
    #[must_use]
    pub fn new(mut scopes: Vec<Scope>) -> Self {
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Scopes {
    /// The words, each followed by a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|scope| write!(f, "{} ", scope.as_str()))
    }
}

impl FromStr for Scopes {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self::new)
    }
}
