//! What the audit log keeps of a name that was typed to log in and that no user has.

use super::{
    Services,
    names::{check_email, check_username},
};
use crate::config::AttemptedNames;

/// Characters of a name in an entry.
const MAX_CHARS: usize = 50;
/// Hexadecimal digits of a hash in an entry.
const HASH_DIGITS: usize = 32;

/// What to record of the name. It may be a password in the wrong field: what cannot be a user name or an e-mail address,
/// as most good passwords, is recorded as a hash at most.
pub(super) fn recorded(services: &Services, typed: &str) -> Option<String> {
    let can_be_a_name = check_username(typed).is_ok() || check_email(typed).is_ok();
    match services.limits.accounts.attempted_names {
        AttemptedNames::None => None,
        AttemptedNames::Name if can_be_a_name => Some(cut(typed)),
        AttemptedNames::Name | AttemptedNames::Hash => {
            let hash = services.keyed_hasher.hash("attempted name", typed);
            Some(format!("hash:{}", &hash[..HASH_DIGITS]))
        }
    }
}

fn cut(name: &str) -> String {
    if name.chars().count() <= MAX_CHARS {
        return name.to_owned();
    }
    name.chars().take(MAX_CHARS - 1).chain(['\u{2026}']).collect()
}
