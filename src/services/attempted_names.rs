//! What the audit log records of the name in a failed login that belongs to no user.

use super::{
    Services,
    validation::{check_email, check_username},
};
use crate::config::AttemptedNames;

/// The maximum number of characters of a recorded name.
const MAX_CHARS: usize = 50;
/// The number of hexadecimal digits of a recorded hash.
const HASH_DIGITS: usize = 32;

/// What to record of a name. It may be a password in the wrong field: a text that cannot be a user name or an e-mail address,
/// as most good passwords, is recorded as a hash at most.
pub(super) fn recorded(services: &Services, name: &str) -> Option<String> {
    let can_be_a_name = check_username(name).is_ok() || check_email(name).is_ok();
    match services.limits.accounts.attempted_names {
        AttemptedNames::None => None,
        AttemptedNames::Name if can_be_a_name => Some(truncated(name)),
        AttemptedNames::Name | AttemptedNames::Hash => {
            let hash = services.keyed_hasher.hash("attempted name", name);
            Some(format!("hash:{}", &hash[..HASH_DIGITS]))
        }
    }
}

fn truncated(name: &str) -> String {
    if name.chars().count() <= MAX_CHARS {
        return name.to_owned();
    }
    name.chars().take(MAX_CHARS - 1).chain(['\u{2026}']).collect()
}
