//! Rules for user names, e-mail addresses and full names.

use super::text::check_line;
use crate::error::{Error, Result};

const MAX_USERNAME: usize = 50;
const MAX_EMAIL: usize = 255;
const MAX_FULL_NAME: usize = 255;

/// Checks a user name: easy to type, safe in logs and file names, and distinct from every e-mail address.
pub fn check_username(name: &str) -> Result<()> {
    let all = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if all && first && name.len() <= MAX_USERNAME {
        return Ok(());
    }
    Err(Error::bad_input(
        "username",
        format!(
            "a user name has 1 to {MAX_USERNAME} ASCII letters, digits, dots, underscores and hyphens, and begins with a \
             letter or digit"
        ),
    ))
}

/// Checks the form of an e-mail address: that of RFC 5321, without quotes and address literals.
pub fn check_email(address: &str) -> Result<()> {
    let is_valid = address.len() <= MAX_EMAIL
        && address.rsplit_once('@').is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
    if is_valid {
        return Ok(());
    }
    Err(Error::bad_input(
        "email",
        format!("an e-mail address has the form jo.doe@example.com, in ASCII, with at most {MAX_EMAIL} characters"),
    ))
}

fn is_local_part(local: &str) -> bool {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// Checks a full name: one line in any script, without hidden characters.
pub fn check_full_name(name: &str) -> Result<()> {
    check_line("fullName", Some(name), MAX_FULL_NAME)?;
    if name.trim().is_empty() {
        return Err(Error::bad_input("fullName", "the full name is empty: use null for none"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn username_is_plain_ascii() {
        for name in ["a", "7", "jo.doe", "Jo_Doe-2", &"x".repeat(50)] {
            assert!(check_username(name).is_ok(), "{name}");
        }
        let long = "x".repeat(51);
        for name in ["", ".jo", "-jo", "_jo", "jo doe", "jo@doe", "jo\n", "j\u{f6}", "jo\0", "\u{202e}jo", &long] {
            assert_eq!(check_username(name).expect_err(name).field(), Some("username"));
        }
    }

    #[test]
    fn email_has_a_local_part_and_a_domain() {
        let long_local = format!("{}@example.com", "x".repeat(64));
        for address in ["jo@localhost", "jo.doe+guardian@mail.example.com", "o'neil@xn--bcher-kva.example", &long_local]
        {
            assert!(check_email(address).is_ok(), "{address}");
        }
        let too_long_local = format!("{}@example.com", "x".repeat(65));
        let too_long = format!("jo@{}", ["abcdefg."; 32].concat() + "example");
        for address in [
            "",
            "@",
            "jo",
            "jo@",
            "@example.com",
            "jo@@example.com",
            "jo@doe@example.com",
            ".jo@example.com",
            "jo.@example.com",
            "j..o@example.com",
            "jo@example..com",
            "jo@-example.com",
            "jo@example-.com",
            "jo@.example.com",
            "jo@example.com.",
            "j o@example.com",
            "jo@exam ple.com",
            "jo@example.com\n",
            "j\u{f6}@example.com",
            "jo@ex\u{e4}mple.com",
            "\"jo\"@example.com",
            "jo@[192.0.2.1]",
            "<jo@example.com>",
            &too_long_local,
            &too_long,
        ] {
            assert_eq!(check_email(address).expect_err(address).field(), Some("email"));
        }
    }

    #[test]
    fn full_name_allows_any_script_and_no_hidden_characters() {
        let longest = "\u{5b89}".repeat(255);
        for name in ["Jo", "Zo\u{eb} O\u{2019}Neil-D\u{f6}e", "\u{645}\u{631}\u{64a}\u{645}", &longest] {
            assert!(check_full_name(name).is_ok(), "{name}");
        }
        let too_long = "\u{5b89}".repeat(256);
        for name in
            ["", "  ", "Jo\u{200b}", "Jo\u{2028}Doe", "Jo\nDoe", "Jo\u{202e}eoD", "Jo\u{2066}", "Jo\u{7f}", &too_long]
        {
            assert_eq!(check_full_name(name).expect_err(name).field(), Some("fullName"));
        }
    }
}
