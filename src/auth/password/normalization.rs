//! The Unicode form of passwords. A password is normalized before it is hashed or compared, so that it does not depend on the
//! keyboard that typed it (NIST SP 800-63B, 3.1.1.2).

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

/// The password in normalization form NFKC. ASCII stays as it is.
pub(super) fn normalized(password: &SecretString) -> SecretString {
    SecretString::from(password.expose_secret().nfkc().collect::<String>())
}

/// Returns true if both are the same password after normalization.
#[must_use]
pub fn is_same_password(a: &SecretString, b: &SecretString) -> bool {
    normalized(a).expose_secret() == normalized(b).expose_secret()
}
