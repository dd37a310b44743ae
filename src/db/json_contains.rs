//! `jsonb @>` for SQLite, which has nothing like it: the value taken apart into tests of paths.
//!
//! The rules are PostgreSQL's: an object holds another when it has each of its fields, holding that field's value; an
//! array holds another when each element of it is held by some element; a scalar holds its equal; and, as the one
//! exception, an array at the top holds a scalar that is one of its elements.

use serde_json::Value;
use sqlx::{QueryBuilder, Sqlite};

/// Writes that the JSON text in `column` holds the value.
pub(super) fn push(q: &mut QueryBuilder<Sqlite>, column: &str, value: &Value) {
    let mut aliases = 0;
    // One row, so that the top is a value with a type like any element of an array.
    q.push(format_args!("exists (select 1 from json_each(json_array(json({column}))) j0 where "));
    if matches!(value, Value::Array(_) | Value::Object(_)) {
        push_held(q, "j0", value, &mut aliases);
    } else {
        q.push("(");
        push_held(q, "j0", value, &mut aliases);
        q.push(" or (j0.type = 'array' and ");
        push_some_element(q, "j0", value, &mut aliases);
        q.push("))");
    }
    q.push(")");
}

/// That the value in the row `at` of a `json_each` holds `value`.
fn push_held(q: &mut QueryBuilder<Sqlite>, at: &str, value: &Value, aliases: &mut u32) {
    match value {
        Value::Null => {
            q.push(format_args!("{at}.type = 'null'"));
        }
        Value::Bool(value) => {
            q.push(format_args!("{at}.type = '{value}'"));
        }
        Value::Number(number) => {
            q.push(format_args!("({at}.type in ('integer', 'real') and {at}.value = "));
            match number.as_i64() {
                Some(whole) => q.push_bind(whole),
                None => q.push_bind(number.as_f64()),
            };
            q.push(")");
        }
        Value::String(text) => {
            q.push(format_args!("({at}.type = 'text' and {at}.value = ")).push_bind(text.clone()).push(")");
        }
        Value::Array(elements) => {
            q.push(format_args!("({at}.type = 'array'"));
            for element in elements {
                q.push(" and ");
                push_some_element(q, at, element, aliases);
            }
            q.push(")");
        }
        Value::Object(fields) => {
            q.push(format_args!("({at}.type = 'object'"));
            for (name, value) in fields {
                let inner = next(aliases);
                q.push(format_args!(" and exists (select 1 from json_each({at}.value) {inner} where {inner}.key = "));
                q.push_bind(name.clone()).push(" and ");
                push_held(q, &inner, value, aliases);
                q.push(")");
            }
            q.push(")");
        }
    }
}

/// That some element of the array in the row `at` holds `value`.
fn push_some_element(q: &mut QueryBuilder<Sqlite>, at: &str, value: &Value, aliases: &mut u32) {
    let inner = next(aliases);
    q.push(format_args!("exists (select 1 from json_each({at}.value) {inner} where "));
    push_held(q, &inner, value, aliases);
    q.push(")");
}

fn next(aliases: &mut u32) -> String {
    *aliases += 1;
    format!("j{aliases}")
}
