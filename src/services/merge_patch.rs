//! JSON Merge Patch (RFC 7396).

use serde_json::Value;

/// Applies a patch: its fields replace those of the same name, null removes a field, objects are merged field by field. Fields
/// keep their order; new ones come last.
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
    fn merge_patch_follows_the_examples_of_the_rfc() {
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
    fn merge_patch_keeps_the_order_of_keys() {
        let target = json!({ "d": 1, "c": { "z": 1, "y": 2, "x": 3 }, "b": 2, "a": 3 });
        let patch = json!({ "e": 5, "c": { "w": 4, "y": null, "z": 0 }, "d": null, "a": 1 });
        assert_eq!(merge_patch(target, patch).to_string(), r#"{"c":{"z":0,"x":3,"w":4},"b":2,"a":1,"e":5}"#);
    }
}
