//! The operating-system user that runs the command, for the audit log.

use crate::services::{audit_entry::Operator, validation::is_hidden};

/// The effective user id, and its name in the user database of the system.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no user ids")]
pub fn operator() -> Option<Operator> {
    let uid = uzers::get_effective_uid();
    let visible = |character| if is_hidden(character) { char::REPLACEMENT_CHARACTER } else { character };
    // The name is optional: the user database may be unreadable or lack the user.
    let name = uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().chars().map(visible).collect());
    Some(Operator { name, uid })
}

/// None: the system has no user ids.
#[cfg(not(unix))]
pub fn operator() -> Option<Operator> {
    None
}
