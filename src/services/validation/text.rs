//! Rules for texts and JSON values.

use serde_json::Value;

use super::hidden_characters::find_hidden;
use crate::{
    error::{Error, Result},
    json,
    model::RawJson,
};

/// The maximum size of a JSON value in bytes.
const MAX_JSON_BYTES: usize = 64 * 1024;

/// Checks a text of one line: at most `max` characters, no [hidden ones](find_hidden).
pub fn check_line(field: &'static str, text: Option<&str>, max: usize) -> Result<()> {
    check(field, text, max, |_| false)
}

/// Checks a text of several lines: as [`check_line`], with line breaks and tabs allowed.
pub fn check_lines(field: &'static str, text: Option<&str>, max: usize) -> Result<()> {
    check(field, text, max, |character| matches!(character, '\n' | '\r' | '\t'))
}

fn check(field: &'static str, text: Option<&str>, max: usize, allowed: impl Fn(char) -> bool) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    if text.chars().count() > max {
        return Err(Error::bad_input(field, format!("`{field}` has at most {max} characters")));
    }
    match find_hidden(text, allowed) {
        None => Ok(()),
        Some((position, character)) => {
            let code = u32::from(character);
            let message = format!(
                "U+{code:04X} at character {position} is a control, invisible or direction-changing character: remove it"
            );
            Err(Error::bad_input(field, message))
        }
    }
}

/// Checks a JSON value of at most 64 KiB by the rules of [`json`], and parses it.
pub fn check_json(field: &'static str, json: &RawJson) -> Result<Value> {
    if json.0.len() > MAX_JSON_BYTES {
        return Err(Error::bad_input(field, format!("`{field}` has at most {MAX_JSON_BYTES} bytes of JSON")));
    }
    json::read(field, json.0.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hidden_characters_and_excess_length_are_refused() {
        assert!(check_line("title", Some("Überprüfung עברית 中文 🛡"), 255).is_ok());
        for text in ["a\0b", "a\nb", "\u{202e}gpj.exe", "\u{2066}x", "\u{85}", "\u{7f}"] {
            assert!(check_line("title", Some(text), 255).is_err(), "{text:?}");
        }
        assert!(check_lines("description", Some("a\r\n\tb"), 255).is_ok());
        assert!(check_lines("description", Some("a\0"), 255).is_err());
        assert!(check_line("title", Some(&"é".repeat(255)), 255).is_ok());
        assert!(check_line("title", Some(&"é".repeat(256)), 255).is_err());
        let large = RawJson(json!("x".repeat(MAX_JSON_BYTES)).to_string());
        assert!(check_json("context", &large).is_err());
    }
}
