//! `jsonb @>` for SQLite, which has no such operator: the value is decomposed into conditions on the elements.
//!
//! The rules are PostgreSQL's. An object contains another if it has each of its fields and the field's value contains the
//! other's. An array contains another if each element of the other is contained in some element. A scalar contains an equal
//! scalar. As an exception, an array at the top level contains a scalar that is one of its elements. Numbers are equal if
//! they have the same decimal value: 1, 1.0 and 1e0.

use serde_json::{Number, Value};
use sqlx::{QueryBuilder, Sqlite};

/// Appends the condition that the JSON text in `column` contains the value.
pub(in crate::db) fn push(q: &mut QueryBuilder<Sqlite>, column: &str, value: &Value) {
    let mut aliases = 0;
    // JSON that SQLite cannot parse contains nothing. An array of one row gives the top level a type, like any element.
    q.push(format_args!(
        "case when json_valid({column}) then exists (select 1 from json_each(json_array(json({column}))) j0 where "
    ));
    if matches!(value, Value::Array(_) | Value::Object(_)) {
        push_contains(q, "j0", value, &mut aliases);
    } else {
        q.push("(");
        push_contains(q, "j0", value, &mut aliases);
        q.push(" or (j0.type = 'array' and ");
        push_some_element(q, "j0", value, &mut aliases);
        q.push("))");
    }
    q.push(") else false end");
}

/// The value in the row `at` of a `json_each` contains `value`.
fn push_contains(q: &mut QueryBuilder<Sqlite>, at: &str, value: &Value, aliases: &mut u32) {
    match value {
        Value::Null => {
            q.push(format_args!("{at}.type = 'null'"));
        }
        Value::Bool(value) => {
            q.push(format_args!("{at}.type = '{value}'"));
        }
        Value::Number(number) => {
            push_equal(q, at, number);
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
                let inner = next_alias(aliases);
                q.push(format_args!(" and exists (select 1 from json_each({at}.value) {inner} where {inner}.key = "));
                q.push_bind(name.clone()).push(" and ");
                push_contains(q, &inner, value, aliases);
                q.push(")");
            }
            q.push(")");
        }
    }
}

/// The value in the row `at` is this number. SQLite parses the number's text, like the stored text.
fn push_equal(q: &mut QueryBuilder<Sqlite>, at: &str, number: &Number) {
    /// 2^53: below it every integer is a double, and the shortest digits of every double are exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().unwrap_or_default();
    if float.abs() < EXACT {
        q.push(format_args!("({at}.type in ('integer', 'real') and {at}.value = (")).push_bind(number.to_string());
        q.push(" ->> '$'))");
        return;
    }
    let digits = if number.is_f64() { format!("{float}") } else { number.to_string() };
    q.push(format_args!("(({at}.type = 'integer' and "));
    match digits.parse::<i64>() {
        Ok(whole) => q.push(format_args!("{at}.value = ")).push_bind(whole),
        // SQLite would compare it as a double, so compare the text.
        Err(_) => q.push(format_args!("{at}.json -> {at}.fullkey = ")).push_bind(digits.clone()),
    };
    q.push(")");
    // A double equals the number if its shortest digits are those of the number.
    if let Some(nearest) = digits.parse::<f64>().ok().filter(|nearest| format!("{nearest}") == digits) {
        q.push(format_args!(" or ({at}.type = 'real' and {at}.value = (")).push_bind(format!("{nearest:e}"));
        q.push(" ->> '$'))");
    }
    q.push(")");
}

/// Some element of the array in the row `at` contains `value`.
fn push_some_element(q: &mut QueryBuilder<Sqlite>, at: &str, value: &Value, aliases: &mut u32) {
    let inner = next_alias(aliases);
    q.push(format_args!("exists (select 1 from json_each({at}.value) {inner} where "));
    push_contains(q, &inner, value, aliases);
    q.push(")");
}

fn next_alias(aliases: &mut u32) -> String {
    *aliases += 1;
    format!("j{aliases}")
}
