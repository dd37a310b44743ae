//! Audit log entries for denied access: of access, and of what goes over a limit. A few a minute for each caller, or refusing
//! would be a way to fill the log.

use super::{
    Client, Services,
    audit::{By, Entry},
};
use crate::{
    auth::{CostLimiter, Principal},
    clock::Clock,
    error::{Error, ErrorCode, Result},
    model::AuditAction,
};

/// Entries for each caller in a minute.
const PER_MINUTE: u32 = 10;

/// The rate limit of denial entries for each principal.
#[derive(Clone, Debug)]
pub struct AccessDenials(CostLimiter);

impl AccessDenials {
    /// None recorded yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(CostLimiter::new(PER_MINUTE, clock))
    }

    /// Whether this refusal is one to record.
    #[must_use]
    pub fn take(&self, principal: &Principal, client: &Client, error: &Error) -> bool {
        if error.is_recorded() {
            return false;
        }
        let access = error.code() == ErrorCode::Forbidden && principal.user().is_some();
        let limit = matches!(error.code(), ErrorCode::QueryTooComplex | ErrorCode::RateLimited);
        (access || limit) && self.0.charge(principal, client.ip_address.as_deref(), 1).is_ok()
    }
}

/// Records a refusal of what stands at a path of the answer, if it is of the whole request at none.
pub async fn record(
    services: &Services,
    principal: &Principal,
    client: &Client,
    error: &Error,
    path: Option<String>,
) -> Result<()> {
    let access = error.code() == ErrorCode::Forbidden;
    let action = if access { AuditAction::AccessDenied } else { AuditAction::LimitExceeded };
    let mut entry = Entry::new(action, error.message()).failed().detail("code", error.code().as_str());
    if let Some(path) = path {
        entry = entry.detail("path", path);
    }
    let by = match principal.authenticated() {
        Some(principal) => By::principal(principal, client),
        None => By::client(None, client),
    };
    let mut tx = services.db.begin().await?;
    entry.record(&mut tx, by, services.clock.now()).await?;
    tx.commit().await
}
