//! Limits the mutations of one user per minute: login sessions by role, API tokens apart. A new login session or token does
//! not bring a new allowance.

use std::{num::NonZeroU32, sync::Arc};

use super::token_buckets::{Rejection, TokenBuckets};
use crate::{
    auth::{Authenticated, Credential},
    clock::Clock,
    config::WriteLimits,
    error::{Error, ErrorCode, Result},
    model::{Role, User, UserId},
};

/// The token buckets of all users. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WriteLimiter(Arc<LimitsByKind>);

#[derive(Debug)]
struct LimitsByKind {
    viewer: Option<Limit>,
    analyst: Option<Limit>,
    admin: Option<Limit>,
    api_token: Option<Limit>,
}

/// The limit of one kind of principal; `None` in its place stands for no limit.
#[derive(Debug)]
struct Limit {
    buckets: TokenBuckets<UserId>,
    per_minute: NonZeroU32,
    setting: &'static str,
}

impl WriteLimiter {
    /// Full buckets for these limits.
    #[must_use]
    pub fn new(limits: WriteLimits, clock: Clock) -> Self {
        let limit = |per_minute: Option<NonZeroU32>, setting| {
            per_minute.map(|per_minute| Limit {
                buckets: TokenBuckets::per_minute(per_minute, clock),
                per_minute,
                setting,
            })
        };
        Self(Arc::new(LimitsByKind {
            viewer: limit(limits.viewer, "GUARDIANEYE_WRITES_PER_MINUTE_VIEWER"),
            analyst: limit(limits.analyst, "GUARDIANEYE_WRITES_PER_MINUTE_ANALYST"),
            admin: limit(limits.admin, "GUARDIANEYE_WRITES_PER_MINUTE_ADMIN"),
            api_token: limit(limits.api_token, "GUARDIANEYE_WRITES_PER_MINUTE_API_TOKEN"),
        }))
    }

    /// Counts the mutations of an operation. The error is `RATE_LIMITED` with the waiting time, or `QUERY_TOO_COMPLEX` for
    /// more mutations than the limit of a minute.
    pub fn charge(&self, principal: &Authenticated, mutations: usize) -> Result<()> {
        let limit = match principal.credential {
            Credential::ApiToken(..) => self.0.api_token.as_ref(),
            Credential::AuthSession(_) => self.limit_of(principal.user.role),
        };
        take(limit, principal.user.id, mutations)
    }

    /// Counts one mutation that logs the user in or refreshes a login session.
    pub fn charge_login(&self, user: &User) -> Result<()> {
        take(self.limit_of(user.role), user.id, 1)
    }

    fn limit_of(&self, role: Role) -> Option<&Limit> {
        match role {
            Role::Viewer => self.0.viewer.as_ref(),
            Role::Analyst => self.0.analyst.as_ref(),
            Role::Admin => self.0.admin.as_ref(),
        }
    }
}

fn take(limit: Option<&Limit>, user: UserId, mutations: usize) -> Result<()> {
    let Some(Limit { buckets, per_minute, setting }) = limit else { return Ok(()) };
    let mutations = u32::try_from(mutations).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    buckets.take(&user, mutations).map(drop).map_err(|rejection| match rejection {
        Rejection::ExceedsCapacity => {
            let message = format!("{mutations} mutations exceed the limit of {per_minute} per minute ({setting})");
            Error::new(ErrorCode::QueryTooComplex, message)
        }
        Rejection::RetryAfter(seconds) => {
            let message = format!("more than {per_minute} mutations per minute ({setting}): try again in {seconds} s");
            Error::rate_limited(message, seconds)
        }
    })
}
