//! JSON from clients: from [`crate::json`] to async-graphql's values and back to text. The conversions of async-graphql and
//! `serde_json` are not used, because they interpret the key of raw JSON.

use async_graphql::{Name, Value, Variables};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

/// Converts the variables of a request.
#[must_use]
pub fn variables(fields: Map<String, Json>) -> Variables {
    let mut variables = Variables::default();
    variables.extend(fields.into_iter().map(|(name, value)| (Name::new(name), to_graphql_value(value))));
    variables
}

fn to_graphql_value(value: Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => Value::Number(number),
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::List(items.into_iter().map(to_graphql_value).collect()),
        Json::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (Name::new(name), to_graphql_value(value))).collect())
        }
    }
}

/// A canonical text of a request: requests with equal documents, operation names and variables have equal texts.
pub fn canonical_request(
    document: &str,
    operation_name: Option<&str>,
    variables: &Variables,
) -> serde_json::Result<String> {
    serde_json::to_string(&(document, operation_name, SerializeVariables(variables)))
}

/// Serializes a value without interpreting any of its keys.
pub struct ClientJson<'a>(pub &'a Value);

impl Serialize for ClientJson<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => to.serialize_unit(),
            Value::Boolean(value) => to.serialize_bool(*value),
            Value::Number(number) => number.serialize(to),
            Value::String(text) => to.serialize_str(text),
            Value::Enum(word) => to.serialize_str(word),
            Value::Binary(bytes) => to.serialize_bytes(bytes),
            Value::List(items) => to.collect_seq(items.iter().map(ClientJson)),
            Value::Object(fields) => {
                to.collect_map(fields.iter().map(|(name, value)| (name.as_str(), ClientJson(value))))
            }
        }
    }
}

struct SerializeVariables<'a>(&'a Variables);

impl Serialize for SerializeVariables<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name.as_str(), ClientJson(value))))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql_value::RAW_VALUE_TOKEN;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_keep_their_text_and_order() {
        let sent = json!({ "b": [1, -2.5, u64::MAX, i64::MIN, null, true, "é\"\\"], "a": { "z": {}, "y": [] } });
        let Json::Object(fields) = sent.clone() else { unreachable!() };
        let text = canonical_request("{ a }", Some("A"), &variables(fields)).expect("writes");
        // Variables have no order among themselves.
        assert_eq!(text, format!(r#"["{{ a }}","A",{{"a":{},"b":{}}}]"#, sent["a"], sent["b"]));
    }

    #[test]
    fn the_key_of_raw_json_is_a_key() {
        let value = to_graphql_value(json!({ RAW_VALUE_TOKEN: "[1" }));
        assert_eq!(
            serde_json::to_string(&ClientJson(&value)).expect("writes"),
            format!(r#"{{"{RAW_VALUE_TOKEN}":"[1"}}"#)
        );
    }
}
