//! What a new password must be: long enough and hard to guess (NIST SP 800-63B, 3.1.1.2). No rules about digits or
//! capitals, which make passwords no harder to guess, only harder to remember.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use zxcvbn::{Score, zxcvbn};

use super::password::normalised;
use crate::{
    error::{Error, Result},
    model::User,
};

/// No password is longer, so that nobody can make the server hash a book.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Characters of a password that are examined for patterns; the effort grows faster than the length.
const EXAMINED_CHARS: usize = 100;
/// What stands to reason here: this program's words.
const PRODUCT_WORDS: [&str; 8] =
    ["guardianeye", "guardian", "eye", "langgraph", "graphql", "security", "analyst", "viewer"];

/// What is asked of a new password, and of whom.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    /// The input that a refusal blames.
    pub field: &'static str,
    /// In Unicode code points.
    pub min_length: usize,
    words: BTreeSet<String>,
}

impl PasswordPolicy {
    /// For a password of this user, whose name and address are easy to guess.
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

    /// What takes no time to see; the password itself is in no error.
    pub fn check_length(&self, password: &SecretString) -> Result<()> {
        if password.expose_secret().len() > MAX_PASSWORD_BYTES {
            return Err(Error::bad_input(self.field, format!("at most {MAX_PASSWORD_BYTES} bytes")));
        }
        if normalised(password).expose_secret().chars().count() < self.min_length {
            let message =
                format!("at least {} characters; a few words that have nothing to do with each other", self.min_length);
            return Err(Error::bad_input(self.field, message));
        }
        Ok(())
    }

    /// Whether it is hard to guess, which may take some milliseconds.
    pub fn check_strength(&self, password: &SecretString) -> Result<()> {
        let password = normalised(password);
        let text = password.expose_secret();
        let words: Vec<_> = self.words.iter().map(String::as_str).collect();
        let found = zxcvbn(examined(text), &words);
        if found.score() >= Score::Three {
            return Ok(());
        }
        // Fixed sentences, none of which quotes the password.
        let mut message = "too easy to guess".to_owned();
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

/// The part of a password that is examined for patterns.
fn examined(password: &str) -> &str {
    password.char_indices().nth(EXAMINED_CHARS).map_or(password, |(end, _)| &password[..end])
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
    fn what_is_hard_to_guess_is_taken_whatever_it_is_made_of() {
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
    fn what_is_easy_to_guess_is_refused_and_told_why() {
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
            let message = refusal(password).unwrap_or_else(|| panic!("{password} was taken"));
            assert!(message.starts_with("too easy to guess: "), "{password}: {message}");
            assert!(!message.contains(password), "{message}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_of_one_form() {
        let short = "at least 12 characters; a few words that have nothing to do with each other";
        assert_eq!(refusal("kqzvhwtnbxj").as_deref(), Some(short));
        // Eleven letters with an accent each, in two code points and more bytes.
        assert_eq!(refusal(&"e\u{301}".repeat(11)).as_deref(), Some(short));
        assert_eq!(refusal(&"kqzvhwtnbxjp".repeat(100)).as_deref(), Some("at most 1024 bytes"));
    }

    #[test]
    fn of_a_long_password_the_first_hundred_characters_are_examined() {
        assert_eq!(examined(&"é".repeat(500)).chars().count(), EXAMINED_CHARS);
        assert_eq!(examined("short"), "short");
        let weak = "a".repeat(EXAMINED_CHARS);
        let error = refusal(&format!("{weak} three unrelated teapots"));
        assert_eq!(error, refusal(&weak));
    }
}
