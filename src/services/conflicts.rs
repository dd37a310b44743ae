//! User names and e-mail addresses that are taken. Whoever asks for one learns that somebody has it, so it is recorded, and a
//! user who is no admin may ask so often in an hour. The entries are the count: it holds for all instances together.

use super::{Actor, audit::Entry};
use crate::{
    db::{Tx, audit_logs},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Role},
};

/// In seconds.
const HOUR: i64 = 60 * 60;

/// Refuses another name or address, taken or not, to whoever has asked for too many that are. Others who manage users wait
/// for the transaction, so attempts at the same time are counted each.
pub(super) async fn check(actor: Actor<'_>, tx: &mut Tx) -> Result<()> {
    let user = &actor.principal.user;
    if user.role >= Role::Admin {
        return Ok(());
    }
    let (now, most) = (actor.now(), actor.services.limits.accounts.conflicts_per_hour);
    let since = now.plus_seconds(-HOUR);
    let conflicts = audit_logs::failures_since(tx, user.id, AuditAction::UserUpdated, since, most).await?;
    match (i64::try_from(conflicts.len()), conflicts.last()) {
        (Ok(count), Some(oldest)) if count >= most => {
            let micros = oldest.plus_seconds(HOUR).micros() - now.micros();
            let seconds = u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000);
            let message = format!(
                "{most} names or addresses that others have were asked for in an hour (GUARDIANEYE_CONFLICTS_PER_HOUR): \
                 try again in {seconds} s"
            );
            Err(Error::rate_limited(message, seconds))
        }
        _ => Ok(()),
    }
}

/// Records that a name or an address was refused because it is taken, and ends the transaction with that. Whose it is does
/// not stand there. Any other error is left as it is.
pub(super) async fn record(actor: Actor<'_>, mut tx: Tx, entry: Entry, error: Error) -> Result<Error> {
    if let (ErrorCode::Conflict, Some(field)) = (error.code(), error.field()) {
        actor.record(&mut tx, entry.failed().detail("field", field), actor.now()).await?;
        tx.commit().await?;
    }
    Ok(error)
}
