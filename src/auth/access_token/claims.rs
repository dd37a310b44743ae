//! What an access token asserts, and for how long.

use crate::model::{AuthSessionId, UserId};

/// The lifetime of an access token in seconds.
pub(super) const LIFETIME: i64 = 15 * 60;
/// The accepted difference between the clocks of two instances, in seconds.
pub(super) const CLOCK_SKEW: i64 = 5;

/// The claims that identify the principal: the user (`sub`) and the login session (`sid`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessTokenClaims {
    pub user: UserId,
    pub auth_session: AuthSessionId,
}
