//! Audit log entries for denied access and exceeded limits. Their number per minute is limited for each principal, so that
//! denied requests cannot fill the log.

use std::{num::NonZeroU32, sync::Arc};

use super::{
    Client,
    audit_entry::{Attribution, AuditEntry},
};
use crate::{
    auth::{Principal, PrincipalKey, TokenBuckets},
    clock::Clock,
    db::Db,
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Timestamp},
};

/// The number of entries per principal and minute.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("it is not zero");

/// Limits the entries of each principal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccessDenials(Arc<TokenBuckets<PrincipalKey>>);

impl AccessDenials {
    /// A limiter without recorded entries.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(TokenBuckets::per_minute(PER_MINUTE, clock)))
    }

    /// Returns true if the error is to be recorded, and counts it: a denied access of a user, or an exceeded limit, while
    /// the principal has entries left.
    #[must_use]
    pub fn take(&self, principal: &Principal, client: &Client, error: &Error) -> bool {
        if error.is_recorded() {
            return false;
        }
        let is_access = error.code() == ErrorCode::Forbidden && principal.user().is_some();
        let is_limit = matches!(error.code(), ErrorCode::QueryTooComplex | ErrorCode::RateLimited);
        let key = PrincipalKey::of(principal, client.ip_address.as_deref());
        (is_access || is_limit) && self.0.take(&key, NonZeroU32::MIN).is_ok()
    }
}

/// Records a denial, with the path of the field that was denied; `None` for the whole request.
pub async fn record(
    db: &Db,
    now: Timestamp,
    principal: &Principal,
    client: &Client,
    error: &Error,
    path: Option<String>,
) -> Result<()> {
    let is_access = error.code() == ErrorCode::Forbidden;
    let action = if is_access { AuditAction::AccessDenied } else { AuditAction::LimitExceeded };
    let mut entry = AuditEntry::new(action, error.message()).failed().detail("code", error.code().as_str());
    if let Some(path) = path {
        entry = entry.detail("path", path);
    }
    let attribution = match principal.authenticated() {
        Some(principal) => Attribution::principal(principal, client),
        None => Attribution::client(None, client),
    };
    let mut tx = db.begin().await?;
    entry.record(&mut tx, attribution, now).await?;
    tx.commit().await
}
