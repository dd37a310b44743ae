//! The words of the domain: typed ids, times, roles, actions and the three things the server is about.
//! No SQL and no GraphQL here; both layers map to and from these types.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, Utc};
use uuid::Uuid;

/// A point in time, UTC, cut to microseconds: what PostgreSQL can hold, so both databases agree to the digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z; `None` outside the years 0001 to 9999, which have four digits and
    /// which both databases know.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).and_then(Self::in_range)
    }

    fn in_range(at: DateTime<Utc>) -> Option<Self> {
        (1..=9999).contains(&at.year()).then(|| Self::from(at))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The same moment as a chrono value.
    #[must_use]
    pub fn datetime(self) -> DateTime<Utc> {
        self.0
    }

    /// `seconds` later; saturates at the end of chrono's range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let later = chrono::TimeDelta::try_seconds(seconds).and_then(|delta| self.0.checked_add_signed(delta));
        later.map_or(Self(DateTime::<Utc>::MAX_UTC), Self::from)
    }

    /// `micros` later; saturates at the end of the years it can have.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.micros().saturating_add(micros)).unwrap_or(self)
    }

    /// The full hour at or before it.
    #[must_use]
    pub fn cut_to_hour(self) -> Self {
        const HOUR: i64 = 3_600_000_000;
        Self::from_micros(self.micros().div_euclid(HOUR) * HOUR).unwrap_or(self)
    }

    /// `micros` earlier; saturates at the beginning of chrono's range.
    #[must_use]
    pub fn minus_micros(self, micros: u64) -> Self {
        let earlier = chrono::TimeDelta::microseconds(i64::try_from(micros).unwrap_or(i64::MAX));
        Self(self.0.checked_sub_signed(earlier).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(6))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, always six digits, so the text sorts as the time does (years 0000 to 9999).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    /// RFC 3339 with any offset, in the years 0001 to 9999 of UTC.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| NotATime)?;
        Self::in_range(at.with_timezone(&Utc)).ok_or(NotATime)
    }
}

/// A text that is not a time, or not one that both databases can hold.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not an RFC 3339 time in the years 0001 to 9999")]
pub struct NotATime;

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
    }
}

/// JSON as the text it was stored as: carried from the database to the client without being parsed and printed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(pub String);

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
    pub action: AuditAction,
    pub details: Option<RawJson>,
    pub description: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub success: bool,
    pub timestamp: Timestamp,
}
