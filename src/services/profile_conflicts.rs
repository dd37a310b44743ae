//! Conflicts over user names and e-mail addresses. A conflict reveals that another user has the name. Each one is therefore
//! recorded, and their number per hour is limited for users who are not admins. The audit log entries are the counter, which
//! all instances share.

use super::{Actor, audit_entry::AuditEntry};
use crate::{
    db::{Tx, audit_logs},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Role},
};

/// Seconds of an hour.
const HOUR: i64 = 60 * 60;

/// Refuses a new name or address, free or not, to a user with too many conflicts in the last hour. The transaction holds the
/// lock on user management, so that concurrent attempts are all counted.
pub(super) async fn check(actor: Actor<'_>, tx: &mut Tx) -> Result<()> {
    let user = &actor.principal.user;
    if user.role >= Role::Admin {
        return Ok(());
    }
    let (now, limit) = (actor.now(), actor.services.limits.accounts.conflicts_per_hour);
    let since = now.plus_seconds(-HOUR);
    let conflicts = audit_logs::failures_since(tx, user.id, AuditAction::UserUpdated, since, limit).await?;
    match (i64::try_from(conflicts.len()), conflicts.last()) {
        (Ok(count), Some(oldest)) if count >= limit => {
            let micros = oldest.plus_seconds(HOUR).micros() - now.micros();
            let seconds = u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000);
            let message = format!(
                "{limit} names or addresses of other users were requested within an hour (GUARDIANEYE_CONFLICTS_PER_HOUR): \
                 try again in {seconds} s"
            );
            Err(Error::rate_limited(message, seconds))
        }
        _ => Ok(()),
    }
}

/// Records a conflict over a name or an address and commits the transaction. The entry does not name the other user. Any
/// other error is returned unchanged.
pub(super) async fn record(actor: Actor<'_>, mut tx: Tx, entry: AuditEntry, error: Error) -> Result<Error> {
    if let (ErrorCode::Conflict, Some(field)) = (error.code(), error.field()) {
        actor.record(&mut tx, entry.failed().detail("field", field), actor.now()).await?;
        tx.commit().await?;
    }
    Ok(error)
}
