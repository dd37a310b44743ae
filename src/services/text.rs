//! What a text that a client writes must be like, before it is stored and shown to others.

use serde_json::Value;

use super::characters::find_hidden;
use crate::{
    error::{Error, Result},
    json,
    model::RawJson,
};

/// Bytes of a JSON value that a client stores.
const MAX_JSON_BYTES: usize = 64 * 1024;

/// A text of at most `max` characters in one line, in which [nothing is hidden](find_hidden).
pub(super) fn check_line(field: &'static str, text: Option<&str>, max: usize) -> Result<()> {
    check(field, text, max, |_| false)
}

/// The same in several lines, with tabs.
pub(super) fn check_lines(field: &'static str, text: Option<&str>, max: usize) -> Result<()> {
    check(field, text, max, |letter| matches!(letter, '\n' | '\r' | '\t'))
}

fn check(field: &'static str, text: Option<&str>, max: usize, allowed: impl Fn(char) -> bool) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    if text.chars().count() > max {
        return Err(Error::bad_input(field, format!("at most {max} characters")));
    }
    match find_hidden(text, allowed) {
        None => Ok(()),
        Some((at, character)) => {
            let code = u32::from(character);
            let message = format!(
                "U+{code:04X} at character {at} is a control, invisible or direction-changing character: remove it"
            );
            Err(Error::bad_input(field, message))
        }
    }
}

/// A JSON value of at most 64 KiB, within the rules of [`json`].
pub(super) fn check_json(field: &'static str, json: &RawJson) -> Result<Value> {
    if json.0.len() > MAX_JSON_BYTES {
        return Err(Error::bad_input(field, format!("at most {MAX_JSON_BYTES} bytes of JSON")));
    }
    json::read(field, json.0.as_bytes())
}

/// RFC 7396: fields of the patch replace those of the same name, null removes, objects are merged field by field. What stays
/// keeps its place, and what is new comes last.
pub(super) fn merge_patch(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut fields = match target {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    fields.retain(|name, _| patch.get(name).is_none_or(|value| !value.is_null()));
    for (name, value) in patch.into_iter().filter(|(_, value)| !value.is_null()) {
        let field = fields.entry(name).or_insert(Value::Null);
        *field = merge_patch(field.take(), value);
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, Appendix A.
    #[test]
    fn a_merge_patch_does_what_the_examples_of_the_rfc_say() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merge_patch(target.clone(), patch.clone()), expected, "{target} {patch}");
        }
    }

    #[test]
    fn a_merge_patch_keeps_the_order_of_keys() {
        let target = json!({ "d": 1, "c": { "z": 1, "y": 2, "x": 3 }, "b": 2, "a": 3 });
        let patch = json!({ "e": 5, "c": { "w": 4, "y": null, "z": 0 }, "d": null, "a": 1 });
        assert_eq!(merge_patch(target, patch).to_string(), r#"{"c":{"z":0,"x":3,"w":4},"b":2,"a":1,"e":5}"#);
    }

    #[test]
    fn what_hides_or_cannot_be_stored_is_refused() {
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
