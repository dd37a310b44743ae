//! Answers as JSON text. Lists of plain rows are written here from the rows (`leaf`), and the answer around them from the
//! library's values, where `serde_json` would read all that is already text once more.

use std::{fmt::Write, sync::LazyLock};

use async_graphql::{Name, Response, Value, indexmap::IndexMap, resolver_utils::EnumType};
use serde_json::ser::to_string;
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    model::{RawJson, Timestamp},
};

/// The library's mark for a string that is JSON text itself.
static RAW: LazyLock<Name> = LazyLock::new(|| Name::new(async_graphql_value::RAW_VALUE_TOKEN));

/// JSON text that is being written.
#[derive(Debug, Default)]
pub struct Json(String);

impl Json {
    /// An answer without errors: `{"data": .., "extensions": ..}`.
    pub fn of(response: &Response) -> String {
        let mut json = Self::default();
        json.0.push_str("{\"data\":");
        json.value(&response.data);
        if !response.extensions.is_empty() {
            json.0.push_str(",\"extensions\":");
            json.object(&response.extensions, Self::value);
        }
        json.0.push('}');
        json.0
    }

    /// An answer without its extensions: `{"data": .., "errors": ..}`.
    pub fn without_extensions(response: &Response) -> Result<String> {
        let mut json = Self::default();
        json.0.push_str("{\"data\":");
        json.value(&response.data);
        if !response.errors.is_empty() {
            json.0.push_str(",\"errors\":");
            json.0.push_str(&to_string(&response.errors).map_err(Error::internal)?);
        }
        json.0.push('}');
        Ok(json.0)
    }

    /// One value of the library's, as it would stand in an answer.
    pub fn of_value(value: &Value) -> String {
        let mut json = Self::default();
        json.value(value);
        json.0
    }

    /// What is written as one value of the library's, which [`Json::of`] puts into the answer as it is.
    pub fn into_value(self) -> Value {
        Value::Object(IndexMap::from([(RAW.clone(), Value::String(self.0))]))
    }

    /// Punctuation, names that need no escapes, and what is JSON already.
    pub fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub fn null(&mut self) {
        self.0.push_str("null");
    }

    pub fn bool(&mut self, value: bool) {
        self.0.push_str(if value { "true" } else { "false" });
    }

    /// A string.
    pub fn text(&mut self, text: &str) {
        let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if text.bytes().all(plain) {
            self.0.push('"');
            self.0.push_str(text);
            self.0.push('"');
        } else {
            self.0.push_str(&to_string(text).expect("a string can be written"));
        }
    }

    pub fn id(&mut self, id: impl Into<Uuid>) {
        self.0.push('"');
        self.0.push_str(id.into().hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        self.0.push('"');
    }

    pub fn time(&mut self, at: Timestamp) {
        match at.to_text() {
            Some(text) => {
                self.0.push('"');
                self.0.push_str(text.as_str());
                self.0.push('"');
            }
            None => self.text(&at.to_string()),
        }
    }

    /// The name of an enum's value, which needs no escapes.
    pub fn enum_value<T: EnumType>(&mut self, value: T) {
        let name = T::items().iter().find(|item| item.value == value).map_or("", |item| item.name);
        self.0.push('"');
        self.0.push_str(name);
        self.0.push('"');
    }

    /// The value, or null.
    pub fn or_null<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// `[.., ..]`
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.0.push('[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            write(self, item);
        }
        self.0.push(']');
    }

    fn object<'a, K: AsRef<str> + 'a, V: 'a>(
        &mut self,
        fields: impl IntoIterator<Item = (&'a K, &'a V)>,
        mut write: impl FnMut(&mut Self, &V),
    ) {
        self.0.push('{');
        for (at, (name, value)) in fields.into_iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            self.text(name.as_ref());
            self.0.push(':');
            write(self, value);
        }
        self.0.push('}');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Boolean(value) => self.bool(*value),
            Value::Number(number) => write!(self.0, "{number}").expect("a string takes everything"),
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
    /// Under the library's mark for raw JSON.
    pub(super) fn to_raw_value(&self) -> Value {
        Json(self.0.clone()).into_value()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Pos, ServerError};
    use serde_json::json;

    use super::*;
    use crate::graphql::variables;

    fn response(data: serde_json::Value) -> Response {
        let serde_json::Value::Object(fields) = data else { unreachable!() };
        Response::new(variables(fields).into_value())
    }

    #[test]
    fn what_is_written_reads_as_what_the_library_writes() {
        let mut response = response(json!({
            "a": null, "b": [true, false, -1, 2.5, u64::MAX], "c": {"": "", "q\"\\/\n\u{1}\u{7f}é\u{2028}": "q\"\\\t"}, "d": [],
            "e": {}, "f": [{"x": 1}, {"x": 2}],
        }));
        assert_eq!(Json::of(&response), to_string(&response).expect("writes"));
        response.extensions.insert("receipt".to_owned(), Value::from("x\""));
        assert_eq!(Json::of(&response), to_string(&response).expect("writes"));
        response.extensions.clear();
        response.errors.push(ServerError::new("a \"message\"", Some(Pos { line: 1, column: 2 })));
        assert_eq!(Json::without_extensions(&response).expect("writes"), to_string(&response).expect("writes"));
    }

    #[test]
    fn raw_json_is_put_in_as_it_is() {
        for text in ["{ \"a\":  1.0 }", r#"{"$serde_json::private::RawValue":"[1"}"#, "[\"\\u0000\"]"] {
            let raw = RawJson(text.to_owned());
            let response = Response::new(Value::Object(IndexMap::from([(Name::new("d"), raw.to_raw_value())])));
            let answer = format!("{{\"data\":{{\"d\":{text}}}}}");
            assert_eq!(Json::of(&response), answer);
            assert_eq!(Json::without_extensions(&response).expect("writes"), answer);
        }
    }
}
