//! Writes responses as JSON text. The fast path writes lists of rows here directly. The response around them is written from
//! async-graphql's values; `serde_json` would parse the embedded JSON text again.

use std::{fmt::Write, sync::LazyLock};

use async_graphql::{Name, Response, Value, indexmap::IndexMap};
use serde_json::ser::to_string;
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    model::{RawJson, Timestamp},
};

/// The key that marks a string as JSON text in async-graphql's values.
static RAW: LazyLock<Name> = LazyLock::new(|| Name::new(async_graphql_value::RAW_VALUE_TOKEN));

/// A writer of JSON text with a size limit.
#[derive(Debug)]
pub struct Json {
    text: String,
    /// Beyond this size, lists and objects are truncated, and the text is not valid JSON.
    max_bytes: usize,
}

impl Json {
    /// An empty text. Check [`is_too_large`](Self::is_too_large) after writing.
    pub fn with_limit(max_bytes: usize) -> Self {
        Self { text: String::new(), max_bytes }
    }

    /// A response without errors: `{"data": .., "extensions": ..}`; `None` if it is too large.
    pub fn from_response(response: &Response, max_bytes: usize) -> Option<String> {
        let mut json = Self::with_limit(max_bytes);
        json.text.push_str("{\"data\":");
        json.value(&response.data);
        if !response.extensions.is_empty() {
            json.text.push_str(",\"extensions\":");
            json.object(&response.extensions, Self::value);
        }
        json.text.push('}');
        (!json.is_too_large()).then_some(json.text)
    }

    /// Returns true if the text exceeds the limit.
    pub fn is_too_large(&self) -> bool {
        self.text.len() > self.max_bytes
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// A response without its extensions: `{"data": .., "errors": ..}`.
    pub fn from_response_without_extensions(response: &Response) -> Result<String> {
        let mut json = Self::with_limit(usize::MAX);
        json.text.push_str("{\"data\":");
        json.value(&response.data);
        if !response.errors.is_empty() {
            json.text.push_str(",\"errors\":");
            json.text.push_str(&to_string(&response.errors).map_err(Error::internal)?);
        }
        json.text.push('}');
        Ok(json.text)
    }

    /// A value as it is written in a response.
    pub fn of_value(value: &Value) -> String {
        let mut json = Self::with_limit(usize::MAX);
        json.value(value);
        json.text
    }

    /// The text as a value, which [`Json::from_response`] copies into the response.
    pub fn into_value(self) -> Value {
        raw_value(self.text)
    }

    /// Writes text that is JSON already.
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn null(&mut self) {
        self.text.push_str("null");
    }

    pub fn bool(&mut self, value: bool) {
        self.text.push_str(if value { "true" } else { "false" });
    }

    /// Writes a string.
    pub fn text(&mut self, text: &str) {
        let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if text.bytes().all(plain) {
            self.text.push('"');
            self.text.push_str(text);
            self.text.push('"');
        } else {
            self.text.push_str(&to_string(text).expect("a string can be written"));
        }
    }

    pub fn id(&mut self, id: impl Into<Uuid>) {
        self.text.push('"');
        self.text.push_str(id.into().hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        self.text.push('"');
    }

    pub fn time(&mut self, at: Timestamp) {
        match at.to_text() {
            Some(text) => {
                self.text.push('"');
                self.text.push_str(text.as_str());
                self.text.push('"');
            }
            None => self.text(&at.to_string()),
        }
    }

    /// Writes the value, or null if there is none.
    pub fn or_null<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// Writes a list: `[.., ..]`.
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.text.push('[');
        for (at, item) in items.into_iter().enumerate() {
            if self.is_too_large() {
                break;
            }
            if at > 0 {
                self.text.push(',');
            }
            write(self, item);
        }
        self.text.push(']');
    }

    fn object<'a, K: AsRef<str> + 'a, V: 'a>(
        &mut self,
        fields: impl IntoIterator<Item = (&'a K, &'a V)>,
        mut write: impl FnMut(&mut Self, &V),
    ) {
        self.text.push('{');
        for (at, (name, value)) in fields.into_iter().enumerate() {
            if self.is_too_large() {
                break;
            }
            if at > 0 {
                self.text.push(',');
            }
            self.text(name.as_ref());
            self.text.push(':');
            write(self, value);
        }
        self.text.push('}');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Boolean(value) => self.bool(*value),
            Value::Number(number) => write!(self.text, "{number}").expect("a string takes everything"),
            Value::String(text) => self.text(text),
            Value::Enum(word) => self.text(word),
            Value::Binary(bytes) => self.list(&**bytes, |json, byte| json.raw(&byte.to_string())),
            Value::List(items) => self.list(items, Self::value),
            Value::Object(fields) => match fields.get(&*RAW) {
                Some(Value::String(text)) if fields.len() == 1 => self.raw(text),
                _ => self.object(fields, Self::value),
            },
        }
    }
}

impl RawJson {
    /// A value that is written as this JSON text.
    pub(in crate::graphql) fn to_raw_value(&self) -> Value {
        raw_value(self.0.clone())
    }
}

fn raw_value(json: String) -> Value {
    Value::Object(IndexMap::from([(RAW.clone(), Value::String(json))]))
}

#[cfg(test)]
mod tests {
    use async_graphql::{Pos, ServerError};
    use serde_json::json;

    use super::*;
    use crate::graphql::document::variables;

    fn response(data: serde_json::Value) -> Response {
        let serde_json::Value::Object(fields) = data else { unreachable!() };
        Response::new(variables(fields).into_value())
    }

    #[test]
    fn a_response_is_written_like_by_serde_json() {
        let mut response = response(json!({
            "a": null, "b": [true, false, -1, 2.5, u64::MAX], "c": {"": "", "q\"\\/\n\u{1}\u{7f}é\u{2028}": "q\"\\\t"}, "d": [],
            "e": {}, "f": [{"x": 1}, {"x": 2}],
        }));
        let text = to_string(&response).expect("writes");
        assert_eq!(Json::from_response(&response, text.len()).as_ref(), Some(&text));
        assert_eq!(Json::from_response(&response, text.len() - 1), None);
        response.extensions.insert("receipt".to_owned(), Value::from("x\""));
        assert_eq!(Json::from_response(&response, usize::MAX), to_string(&response).ok());
        response.extensions.clear();
        response.errors.push(ServerError::new("a \"message\"", Some(Pos { line: 1, column: 2 })));
        assert_eq!(
            Json::from_response_without_extensions(&response).expect("writes"),
            to_string(&response).expect("writes")
        );
    }

    #[test]
    fn raw_json_is_copied_unchanged() {
        for text in ["{ \"a\":  1.0 }", r#"{"$serde_json::private::RawValue":"[1"}"#, "[\"\\u0000\"]"] {
            let raw = RawJson(text.to_owned());
            let response = Response::new(Value::Object(IndexMap::from([(Name::new("d"), raw.to_raw_value())])));
            let expected = format!("{{\"data\":{{\"d\":{text}}}}}");
            assert_eq!(Json::from_response(&response, usize::MAX).as_ref(), Some(&expected));
            assert_eq!(Json::from_response_without_extensions(&response).expect("writes"), expected);
        }
    }
}
