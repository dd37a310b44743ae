//! How often a principal may write in a minute: a bucket of mutations per user, for login sessions by role and for API tokens
//! apart. A new login or token gives no new bucket.

use std::{fmt, num::NonZeroU32, sync::Arc};

use super::{
    Authenticated, Credential,
    buckets::{Buckets, Refused},
};
use crate::{
    clock::Clock,
    config::WriteLimits,
    error::{Error, ErrorCode, Result},
    model::{Role, User, UserId},
};

/// The buckets of all principals. Cheap to clone.
#[derive(Clone)]
pub struct WriteLimiter(Arc<Kinds>);

struct Kinds {
    viewer: Option<Kind>,
    analyst: Option<Kind>,
    admin: Option<Kind>,
    api_token: Option<Kind>,
}

/// The principals of one kind; none where there is no limit.
struct Kind {
    buckets: Buckets<UserId>,
    per_minute: NonZeroU32,
    setting: &'static str,
}

impl fmt::Debug for WriteLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteLimiter").finish_non_exhaustive()
    }
}

impl WriteLimiter {
    /// Buckets of these sizes, all full.
    #[must_use]
    pub fn new(limits: WriteLimits, clock: Clock) -> Self {
        let kind = |per_minute: Option<NonZeroU32>, setting| {
            per_minute.map(|per_minute| Kind { buckets: Buckets::per_minute(per_minute, clock), per_minute, setting })
        };
        Self(Arc::new(Kinds {
            viewer: kind(limits.viewer, "GUARDIANEYE_WRITES_PER_MINUTE_VIEWER"),
            analyst: kind(limits.analyst, "GUARDIANEYE_WRITES_PER_MINUTE_ANALYST"),
            admin: kind(limits.admin, "GUARDIANEYE_WRITES_PER_MINUTE_ADMIN"),
            api_token: kind(limits.api_token, "GUARDIANEYE_WRITES_PER_MINUTE_API_TOKEN"),
        }))
    }

    /// Takes mutations from the bucket of a principal, or says when there will be enough.
    pub fn charge(&self, principal: &Authenticated, mutations: usize) -> Result<()> {
        let kind = match principal.credential {
            Credential::ApiToken(..) => self.0.api_token.as_ref(),
            Credential::AuthSession(_) => self.of_role(principal.user.role),
        };
        take(kind, principal.user.id, mutations)
    }

    /// The same for one mutation by which the user signs in, or stays signed in.
    pub fn charge_login(&self, user: &User) -> Result<()> {
        take(self.of_role(user.role), user.id, 1)
    }

    fn of_role(&self, role: Role) -> Option<&Kind> {
        match role {
            Role::Viewer => self.0.viewer.as_ref(),
            Role::Analyst => self.0.analyst.as_ref(),
            Role::Admin => self.0.admin.as_ref(),
        }
    }
}

fn take(kind: Option<&Kind>, user: UserId, mutations: usize) -> Result<()> {
    let Some(Kind { buckets, per_minute, setting }) = kind else { return Ok(()) };
    let amount = u32::try_from(mutations).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    buckets.take(&user, amount).map(drop).map_err(|refused| match refused {
        Refused::TooMuch => {
            let message = format!("{amount} mutations exceed the limit of {per_minute} in a minute ({setting})");
            Error::new(ErrorCode::QueryTooComplex, message)
        }
        Refused::Until(seconds) => {
            let message = format!("more than {per_minute} mutations in a minute ({setting}): try again in {seconds} s");
            Error::rate_limited(message, seconds)
        }
    })
}
