//! The one reader of JSON: whatever clients send, and whatever is stored, is read by [`read`] and nothing else.
//!
//! `serde_json`'s own `Value` is not safe to read such text into. With the feature `raw_value`, which axum and sqlx turn on,
//! it takes an object whose first key is `$serde_json::private::RawValue` for JSON in a string and reads that string by a
//! further parser, which counts its depth from zero: 8 kB overflow a stack. So the values are built here, from the events of
//! `serde_json`'s parser, and these rules hold for each of them:
//!
//! - at most [`MAX_DEPTH`] arrays and objects within each other, counted while reading;
//! - no U+0000 in a string or key: PostgreSQL's `text` and `jsonb` have no place for it;
//! - no key that begins with `$serde_json::private::`: serialisers, too, give such keys a meaning;
//! - an integer (a number without fraction and exponent) has to fit in 64 bits, signed or unsigned, and is kept exactly;
//!   any other number is the nearest double, which has to be finite. `-0` is the double `-0.0`;
//! - of two equal keys the first gives the place and the second the value. Otherwise the order of keys is kept.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Error, ErrorCode, Result};

/// How many arrays and objects may be open within each other.
pub const MAX_DEPTH: usize = 64;

/// What the keys begin with that `serde_json` takes for its own.
const PRIVATE: &str = "$serde_json::private::";

/// Bytes up to which an error names the place of what is refused.
const MAX_PATH: usize = 200;

/// From here on `serde_json` hands over an integer as a float. 2^63: what lies between it and 2^64 is looked at in vain.
const INTEGERS_END: f64 = 9_223_372_036_854_775_808.0;

/// The value that a JSON text stands for. An error is `BAD_USER_INPUT` and names the field, with the path within it.
pub fn read(field: &str, text: &[u8]) -> Result<Value> {
    let mut reader = Reader { numbers: Numbers(text), ahead: 0, path: Vec::new() };
    let mut parser = serde_json::Deserializer::from_slice(text);
    let read = Node { reader: &mut reader, depth: 0 }.deserialize(&mut parser);
    read.and_then(|value| parser.end().map(|()| value)).map_err(|cause| refusal(field, &cause, &reader.path))
}

/// The same of a whole request body, whose fields are the first steps of the path.
pub fn read_body(text: &[u8]) -> Result<Value> {
    read("", text)
}

fn refusal(field: &str, cause: &serde_json::Error, path: &[String]) -> Error {
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

/// What is known while a text is read.
struct Reader<'a> {
    /// The tokens of numbers that were not looked at yet.
    numbers: Numbers<'a>,
    /// How many of them the parser has handed over already.
    ahead: usize,
    /// The way to what is refused, from the inside out; empty until something is.
    path: Vec<String>,
}

impl Reader<'_> {
    /// Whether the number that was just handed over is written without fraction and exponent.
    fn is_integer(&mut self) -> bool {
        let token = self.numbers.nth(std::mem::take(&mut self.ahead).saturating_sub(1));
        token.is_some_and(|token| !token.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')))
    }
}

/// A value that is to be read, within so many arrays and objects.
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
        Err(E::custom(format_args!("more than {MAX_DEPTH} arrays and objects are nested in each other")))
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
        self.reader.ahead += 1;
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        self.reader.ahead += 1;
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        self.reader.ahead += 1;
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

/// The numbers in a JSON text, in order and as they are written.
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

/// What follows a string, from behind its opening quotation mark.
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

    fn fault(text: &str) -> String {
        let error = read("context", text.as_bytes()).expect_err(text);
        assert_eq!(error.code(), ErrorCode::BadUserInput);
        error.message().to_owned()
    }

    #[test]
    fn values_are_what_they_were_written_as() {
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
    fn what_breaks_a_rule_is_refused_with_its_place() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read("context", deep(MAX_DEPTH).as_bytes()).is_ok());
        assert!(fault(&deep(MAX_DEPTH + 1)).starts_with("context[0][0]"));
        assert!(fault(&r#"{"a":"#.repeat(100_000)).starts_with("context.a.a"));
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
            assert!(fault(text).starts_with(place), "{text}: {}", fault(text));
        }
        assert_eq!(read_body(br#"{"a":{"b":"\u0000"}}"#).expect_err("refused").field(), Some("a.b"));
        let long = format!(r#"{{"{0}":{{"{0}":[1e400, "\u0000"]}}}}"#, "k".repeat(150)).replace("1e400", "1");
        assert!(fault(&long).len() < 300);
    }

    #[test]
    fn large_floats_are_told_from_large_integers_in_one_pass() {
        let floats = format!("[{}0]", "1e20,\"12\",".repeat(20_000));
        assert!(read("context", floats.as_bytes()).is_ok());
        let integer = floats.replace("0]", "100000000000000000000]");
        assert!(fault(&integer).starts_with("context[40000]"));
    }
}
