//! The operating-system user who runs this program, for the audit log.

use crate::services::{audit::Operator, characters::is_hidden};

/// By the effective user id; the name is the one that the system's user database has for it.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no user ids")]
pub fn operator() -> Option<Operator> {
    let uid = uzers::get_effective_uid();
    let harmless = |character| if is_hidden(character) { char::REPLACEMENT_CHARACTER } else { character };
    // A user database that cannot be read, or has no such user, must not keep an operator from working.
    let name = uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().chars().map(harmless).collect());
    Some(Operator { name, uid })
}

/// None: the system has no user ids.
#[cfg(not(unix))]
pub fn operator() -> Option<Operator> {
    None
}
