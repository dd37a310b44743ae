//! JSON that clients send, on its way from [`crate::json`] through the library's values and back to text. The library's own
//! conversions are not used: they give the key of raw JSON a meaning.

use async_graphql::{Name, Value, Variables};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

/// Variables as the library takes them.
#[must_use]
pub fn variables(fields: Map<String, Json>) -> Variables {
    let mut variables = Variables::default();
    variables.extend(fields.into_iter().map(|(name, value)| (Name::new(name), library_value(value))));
    variables
}

fn library_value(value: Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => Value::Number(number),
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::List(items.into_iter().map(library_value).collect()),
        Json::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (Name::new(name), library_value(value))).collect())
        }
    }
}

/// All that makes a request what it is, as one text. Equal requests have equal texts.
pub fn canonical_request(
    document: &str,
    operation_name: Option<&str>,
    variables: &Variables,
) -> serde_json::Result<String> {
    serde_json::to_string(&(document, operation_name, Fields(variables)))
}

/// A value of the library's that is written as what it is, whatever its keys are.
pub(in crate::graphql) struct Plain<'a>(pub &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => to.serialize_unit(),
            Value::Boolean(value) => to.serialize_bool(*value),
            Value::Number(number) => number.serialize(to),
            Value::String(text) => to.serialize_str(text),
            Value::Enum(word) => to.serialize_str(word),
            Value::Binary(bytes) => to.serialize_bytes(bytes),
            Value::List(items) => to.collect_seq(items.iter().map(Plain)),
            Value::Object(fields) => to.collect_map(fields.iter().map(|(name, value)| (name.as_str(), Plain(value)))),
        }
    }
}

struct Fields<'a>(&'a Variables);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name.as_str(), Plain(value))))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql_value::RAW_VALUE_TOKEN;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_go_through_the_library_unchanged_and_in_their_order() {
        let sent = json!({ "b": [1, -2.5, u64::MAX, i64::MIN, null, true, "é\"\\"], "a": { "z": {}, "y": [] } });
        let Json::Object(fields) = sent.clone() else { unreachable!() };
        let text = canonical_request("{ a }", Some("A"), &variables(fields)).expect("writes");
        // Variables have no order among themselves.
        assert_eq!(text, format!(r#"["{{ a }}","A",{{"a":{},"b":{}}}]"#, sent["a"], sent["b"]));
    }

    #[test]
    fn the_key_of_raw_json_is_a_key() {
        let value = library_value(json!({ RAW_VALUE_TOKEN: "[1" }));
        assert_eq!(serde_json::to_string(&Plain(&value)).expect("writes"), format!(r#"{{"{RAW_VALUE_TOKEN}":"[1"}}"#));
    }
}
