//! The actor of a write.

use super::{
    Client, Services,
    audit_entry::{Attribution, AuditEntry},
};
use crate::{
    auth::Authenticated,
    db::{Db, Tx, users},
    error::{Error, ErrorCode, Result},
    model::{AuditLog, Role, Timestamp, User, UserId},
};

/// The principal of a write, with what the write needs: the rules apply to this principal, and the audit log names it.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    pub services: &'a Services,
    /// The database handle of the request.
    pub db: &'a Db,
    pub principal: &'a Authenticated,
    pub client: &'a Client,
}

impl Actor<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// Writes an audit log entry of the actor.
    pub(super) async fn record(&self, tx: &mut Tx, entry: AuditEntry, now: Timestamp) -> Result<AuditLog> {
        entry.record(tx, Attribution::principal(self.principal, self.client), now).await
    }

    /// The user whose data is written: the actor by default. Only an admin writes the data of another user.
    pub(super) async fn owner(&self, tx: &mut Tx, owner: Option<UserId>) -> Result<User> {
        let user = &self.principal.user;
        match owner {
            Some(id) if id != user.id => {
                if user.role < Role::Admin {
                    return Err(Error::new(ErrorCode::Forbidden, "only an ADMIN writes the data of another user"));
                }
                let found = users::find_within(tx, id).await?;
                found.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such user"))
            }
            _ => Ok((**user).clone()),
        }
    }
}
