//! Parses JSON of clients and of the database. [`read`] is the only parser for such JSON.
//!
//! Deserializing it into `serde_json::Value` is unsafe. With the feature `raw_value`, which axum and sqlx enable, an object with
//! the first key `$serde_json::private::RawValue` is taken for JSON in a string, and a nested parser with a depth limit of its
//! own reads that string: 8 kB overflow the stack. This module builds the values from the events of the parser of `serde_json`,
//! with these rules:
//!
//! - at most [`MAX_DEPTH`] nested arrays and objects;
//! - no U+0000 in a string or key, which `text` and `jsonb` of PostgreSQL cannot store;
//! - no key that begins with `$serde_json::private::`, which serializers interpret too;
//! - an integer (a number without fraction and exponent) fits in 64 bits, signed or unsigned, and stays exact; any other number
//!   is the nearest double, which is finite; `-0` is the double `-0.0`;
//! - of duplicate keys, the first determines the position and the last the value; otherwise the order of keys is preserved.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Error, ErrorCode, Result};

/// The maximum depth of nested arrays and objects.
pub const MAX_DEPTH: usize = 64;

/// The prefix of the keys that `serde_json` uses internally.
const PRIVATE: &str = "$serde_json::private::";

/// The maximum length of the path in an error, in bytes.
const MAX_PATH: usize = 200;

/// The lower bound (2^63) of floats that `serde_json` may have parsed from an integer. Between it and 2^64, integers arrive as
/// integers, and the check of a float is redundant.
const INTEGERS_END: f64 = 9_223_372_036_854_775_808.0;

/// Parses a JSON text. The error is `BAD_USER_INPUT` and names the field and the path within it.
pub fn read(field: &str, text: &[u8]) -> Result<Value> {
    let mut reader = Reader { numbers: Numbers(text), unexamined: 0, path: Vec::new() };
    let mut parser = serde_json::Deserializer::from_slice(text);
    let read = Node { reader: &mut reader, depth: 0 }.deserialize(&mut parser);
    read.and_then(|value| parser.end().map(|()| value))
        .map_err(|cause| syntax_or_rule_error(field, &cause, &reader.path))
}

/// Parses a request body, whose fields are the first steps of the path.
pub fn read_body(text: &[u8]) -> Result<Value> {
    read("", text)
}

fn syntax_or_rule_error(field: &str, cause: &serde_json::Error, path: &[String]) -> Error {
    if !cause.is_data() {
        if field.is_empty() {
            return Error::new(ErrorCode::BadUserInput, format!("the body is not JSON: {cause}"));
        }
        return Error::bad_input(field.to_owned(), format!("{field} is not JSON: {cause}"));
    }
    let mut name = field.to_owned();
    for step in path.iter().rev() {
        if name.len() + step.len() > MAX_PATH {
            name.push_str("..");
            break;
        }
        name.push_str(step);
    }
    let name = name.trim_start_matches('.').to_owned();
    let message = if name.is_empty() { cause.to_string() } else { format!("{name}: {cause}") };
    Error::bad_input(name, message)
}

/// The state of a parse.
struct Reader<'a> {
    /// The number tokens that were not examined yet.
    numbers: Numbers<'a>,
    /// How many number tokens the parser has read since the last examined one.
    unexamined: usize,
    /// The path to the error, innermost step first; empty without an error.
    path: Vec<String>,
}

impl Reader<'_> {
    /// Returns true if the last number is written without fraction and exponent.
    fn is_integer(&mut self) -> bool {
        let token = self.numbers.nth(std::mem::take(&mut self.unexamined).saturating_sub(1));
        token.is_some_and(|token| !token.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')))
    }
}

/// The next value, at this depth of nested arrays and objects.
struct Node<'r, 'a> {
    reader: &'r mut Reader<'a>,
    depth: usize,
}

impl<'a> Node<'_, 'a> {
    fn inner(&mut self) -> Node<'_, 'a> {
        Node { reader: &mut *self.reader, depth: self.depth + 1 }
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth < MAX_DEPTH {
            return Ok(());
        }
        Err(E::custom(format_args!("the nesting of arrays and objects exceeds the limit of {MAX_DEPTH}")))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        self.reader.unexamined += 1;
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        self.reader.unexamined += 1;
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        self.reader.unexamined += 1;
        if number.abs() >= INTEGERS_END && self.reader.is_integer() {
            return Err(E::custom("an integer must fit in 64 bits: send a larger one as a string"));
        }
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        if text.contains('\0') {
            return Err(E::custom("a string must not contain the character U+0000"));
        }
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut values = Vec::new();
        loop {
            match items.next_element_seed(self.inner()) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => return Ok(Value::Array(values)),
                Err(cause) => {
                    self.reader.path.push(format!("[{}]", values.len()));
                    return Err(cause);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut fields = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom("a key must not contain the character U+0000"));
            }
            if key.starts_with(PRIVATE) {
                return Err(A::Error::custom(format_args!("a key must not begin with {PRIVATE}")));
            }
            match entries.next_value_seed(self.inner()) {
                Ok(value) => drop(fields.insert(key, value)),
                Err(cause) => {
                    self.reader.path.push(format!(".{key}"));
                    return Err(cause);
                }
            }
        }
        Ok(Value::Object(fields))
    }
}

/// The number tokens of a JSON text, in order.
struct Numbers<'a>(&'a [u8]);

impl<'a> Iterator for Numbers<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        loop {
            self.0 = match self.0 {
                [] => return None,
                [b'"', rest @ ..] => after_string(rest),
                [b'-' | b'0'..=b'9', ..] => {
                    let end = self.0.iter().position(|byte| !in_number(byte)).unwrap_or(self.0.len());
                    let (number, rest) = self.0.split_at(end);
                    self.0 = rest;
                    return Some(number);
                }
                [_, rest @ ..] => rest,
            };
        }
    }
}

/// The text after a string, given the text after its opening quotation mark.
fn after_string(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [] => return text,
            [b'"', rest @ ..] => return rest,
            [b'\\', _, rest @ ..] | [_, rest @ ..] => rest,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_of(text: &str) -> String {
        let error = read("context", text.as_bytes()).expect_err(text);
        assert_eq!(error.code(), ErrorCode::BadUserInput);
        error.message().to_owned()
    }

    #[test]
    fn values_are_preserved() {
        for text in [
            "null",
            "true",
            "[]",
            "{}",
            r#"{"b":1,"a":[{"":"é\n\"\\/"},false],"$serde_json":2,"$var":"x"}"#,
            "18446744073709551615",
            "-9223372036854775808",
            "9007199254740993",
            "-0.0",
            "0.1",
            "1e-7",
            "5e-324",
            "1.7976931348623157e+308",
            "9007199254740993.0",
            "1.8446744073709552e+19",
        ] {
            let value = read("context", text.as_bytes()).expect(text);
            let written = value.to_string();
            assert_eq!(read("context", written.as_bytes()).expect(text), value, "{text}");
            if !text.starts_with("9007199254740993.") {
                assert_eq!(written, text);
            }
        }
        let read = |text: &str| read("context", text.as_bytes()).expect(text).to_string();
        assert_eq!(read("-0"), "-0.0");
        assert_eq!(read(" [1E2 , 1e+20,\t100000000000000000000.0]\n"), "[100.0,1e+20,1e+20]");
        assert_eq!(read(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn violations_are_refused_with_their_path() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read("context", deep(MAX_DEPTH).as_bytes()).is_ok());
        assert!(message_of(&deep(MAX_DEPTH + 1)).starts_with("context[0][0]"));
        assert!(message_of(&r#"{"a":"#.repeat(100_000)).starts_with("context.a.a"));
        for (text, place) in [
            (r#"{"a": ["\u0000"]}"#, "context.a[0]: a string"),
            (r#"{"a": {"b\u0000": 1}}"#, "context.a: a key"),
            (r#"[1, {"$serde_json::private::RawValue": "1"}]"#, "context[1]: a key"),
            (r#"[1, {"a": 1, "\u0024serde_json::private::Number": "1"}]"#, "context[1]: a key"),
            (r#"{"a": 18446744073709551616}"#, "context.a: an integer"),
            (r#"[-1, "1\\\"2", 1e20, 3, -9223372036854775809]"#, "context[4]: an integer"),
            ("[1e400]", "context is not JSON: number out of range"),
            ("[-1e400]", "context is not JSON: number out of range"),
            ("\u{0}", "context is not JSON"),
            ("\"\u{0}\"", "context is not JSON"),
            (r#""\ud800""#, "context is not JSON"),
            ("1 2", "context is not JSON"),
            ("", "context is not JSON"),
            ("NaN", "context is not JSON"),
        ] {
            assert!(message_of(text).starts_with(place), "{text}: {}", message_of(text));
        }
        assert_eq!(read_body(br#"{"a":{"b":"\u0000"}}"#).expect_err("refused").field(), Some("a.b"));
        let long = format!(r#"{{"{0}":{{"{0}":[1e400, "\u0000"]}}}}"#, "k".repeat(150)).replace("1e400", "1");
        assert!(message_of(&long).len() < 300);
    }

    #[test]
    fn large_floats_are_distinguished_from_large_integers_in_one_pass() {
        let floats = format!("[{}0]", "1e20,\"12\",".repeat(20_000));
        assert!(read("context", floats.as_bytes()).is_ok());
        let integer = floats.replace("0]", "100000000000000000000]");
        assert!(message_of(&integer).starts_with("context[40000]"));
    }
}
