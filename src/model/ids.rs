//! Typed ids: one type per table, so that the id of a session cannot be passed where that of a user is expected.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::Timestamp;

/// Defines id types. `UserId` expands to
///
/// ```ignore
/// pub struct UserId(pub Uuid);
/// impl UserId { pub fn new(now: Timestamp) -> Self { /* a UUIDv7 */ } }
/// impl From<Uuid> for UserId { .. }
/// impl From<UserId> for Uuid { .. }
/// impl fmt::Display for UserId { .. }
/// impl FromStr for UserId { .. }
/// ```
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new UUIDv7 (RFC 9562), so that new rows are adjacent in the index.
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
    /// The id of a session with an agent.
    SessionId,
    /// The id of an audit log entry.
    AuditLogId,
    /// The id of a login session.
    AuthSessionId,
    /// The id of an API token.
    ApiTokenId,
    /// The id of a signing key: the `kid` of the tokens that it signs.
    KeyId,
    /// The id of a row of any table.
    AnyId,
}
