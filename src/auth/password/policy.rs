//! The policy for new passwords: a minimum length and a minimum strength (NIST SP 800-63B, 3.1.1.2). There are no rules about
//! digits or capitals, which make a password harder to remember and no harder to guess.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use zxcvbn::{Score, zxcvbn};

use super::normalization::normalized;
use crate::{
    error::{Error, Result},
    model::User,
};

/// The maximum length of a password, which bounds the time of hashing.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// The number of characters whose strength is estimated; the time of the estimate grows faster than the length.
const ESTIMATED_CHARS: usize = 100;
/// Words of this product, which are easy to guess.
const PRODUCT_WORDS: [&str; 8] =
    ["guardianeye", "guardian", "eye", "langgraph", "graphql", "security", "analyst", "viewer"];

/// The policy for a new password of one user.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    /// The input field that errors name.
    pub field: &'static str,
    /// The minimum length in Unicode code points.
    pub min_length: usize,
    words: BTreeSet<String>,
}

impl PasswordPolicy {
    /// The policy for a user, whose names and e-mail address are easy to guess.
    #[must_use]
    pub fn of(user: &User, min_length: usize, field: &'static str) -> Self {
        let texts = [Some(user.username.as_str()), Some(&user.email), user.full_name.as_deref()];
        let mut words = BTreeSet::new();
        for text in texts.into_iter().flatten() {
            words.insert(text.to_lowercase());
            let parts = text.split(|character: char| !character.is_alphanumeric());
            words.extend(parts.filter(|part| part.len() > 2).map(str::to_lowercase));
        }
        words.extend(user.email.split_once('@').map(|(local, _)| local.to_lowercase()));
        words.extend(PRODUCT_WORDS.map(str::to_owned));
        Self { field, min_length, words }
    }

    /// Checks the length, which takes no time. No error contains the password.
    pub fn check_length(&self, password: &SecretString) -> Result<()> {
        if password.expose_secret().len() > MAX_PASSWORD_BYTES {
            return Err(Error::bad_input(self.field, format!("a password has at most {MAX_PASSWORD_BYTES} bytes")));
        }
        if normalized(password).expose_secret().chars().count() < self.min_length {
            let message =
                format!("a password has at least {} characters; use several unrelated words", self.min_length);
            return Err(Error::bad_input(self.field, message));
        }
        Ok(())
    }

    /// Checks the strength, which may take some milliseconds. No error contains the password.
    pub fn check_strength(&self, password: &SecretString) -> Result<()> {
        let password = normalized(password);
        let text = password.expose_secret();
        let words: Vec<_> = self.words.iter().map(String::as_str).collect();
        let found = zxcvbn(estimated_part(text), &words);
        if found.score() >= Score::Three {
            return Ok(());
        }
        // The warnings and suggestions are fixed sentences that do not quote the password.
        let mut message = "the password is too easy to guess".to_owned();
        if let Some(feedback) = found.feedback() {
            let warning = feedback.warning().map(|warning| warning.to_string());
            let reasons = warning.into_iter().chain(feedback.suggestions().iter().map(ToString::to_string));
            for (at, reason) in reasons.enumerate() {
                message.push_str(if at == 0 { ": " } else { " " });
                message.push_str(&reason);
            }
        }
        Err(Error::bad_input(self.field, message))
    }
}

/// The part of a password whose strength is estimated.
fn estimated_part(password: &str) -> &str {
    password.char_indices().nth(ESTIMATED_CHARS).map_or(password, |(end, _)| &password[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, UserId};

    fn refusal(password: &str) -> Option<String> {
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        let user = User {
            id: UserId::new(now),
            username: "brunhilde".to_owned(),
            email: "b.nibelheim@walhalla.example".to_owned(),
            role: Role::Viewer,
            is_active: true,
            full_name: Some("Brunhilde Wotanstochter".to_owned()),
            created_at: now,
            updated_at: now,
            last_login: None,
        };
        let policy = PasswordPolicy::of(&user, 12, "newPassword");
        let password = SecretString::from(password);
        let checked = policy.check_length(&password).and_then(|()| policy.check_strength(&password));
        checked.err().map(|error| {
            assert_eq!(error.field(), Some("newPassword"));
            error.message().to_owned()
        })
    }

    #[test]
    fn strong_password_is_accepted_in_any_script() {
        for password in [
            "correct horse battery staple",
            "kqzvhwtnbxjp",
            "9301847562839471",
            "дорога ведёт в гору",
            "龍虎鳳凰麒麟玄武朱雀白虎",
        ] {
            assert_eq!(refusal(password), None, "{password}");
        }
    }

    #[test]
    fn weak_password_is_refused_with_a_reason() {
        for password in [
            "aaaaaaaaaaaaaaaa",
            "password1234",
            "qwertyuiop[]",
            "123456789012",
            "Brunhilde2026",
            "brunhildewotan",
            "guardianeye2026",
            "walhallanibelheim",
            "nibelheim.2026",
            "b.nibelheim@walhalla.example",
            "\u{ff50}\u{ff41}\u{ff53}\u{ff53}\u{ff57}\u{ff4f}\u{ff52}\u{ff44}1234",
        ] {
            let message = refusal(password).unwrap_or_else(|| panic!("{password} was accepted"));
            assert!(message.starts_with("the password is too easy to guess: "), "{password}: {message}");
            assert!(!message.contains(password), "{message}");
        }
    }

    #[test]
    fn length_counts_characters_after_normalization() {
        let short = "a password has at least 12 characters; use several unrelated words";
        assert_eq!(refusal("kqzvhwtnbxj").as_deref(), Some(short));
        // Eleven letters with an accent each, in two code points and more bytes.
        assert_eq!(refusal(&"e\u{301}".repeat(11)).as_deref(), Some(short));
        assert_eq!(refusal(&"kqzvhwtnbxjp".repeat(100)).as_deref(), Some("a password has at most 1024 bytes"));
    }

    #[test]
    fn strength_of_a_long_password_is_that_of_its_first_hundred_characters() {
        assert_eq!(estimated_part(&"é".repeat(500)).chars().count(), ESTIMATED_CHARS);
        assert_eq!(estimated_part("short"), "short");
        let weak = "a".repeat(ESTIMATED_CHARS);
        let error = refusal(&format!("{weak} three unrelated teapots"));
        assert_eq!(error, refusal(&weak));
    }
}
