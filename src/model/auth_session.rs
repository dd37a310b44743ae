//! Login sessions.

use super::{AuthSessionId, Timestamp, UserId};

/// A login session: one sign-in on a device, from the password to the logout, with many access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSession {
    pub id: AuthSessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    /// When the latest access token was issued.
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The client address of the login.
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// When it was ended before its expiry.
    pub revoked_at: Option<Timestamp>,
}
