//! `jsonb @>` for SQLite, which has nothing like it: the value taken apart into tests of paths.
//!
//! The rules are PostgreSQL's: an object holds another when it has each of its fields, holding that field's value; an
//! array holds another when each element of it is held by some element; a scalar holds its equal; and, as the one
//! exception, an array at the top holds a scalar that is one of its elements. Numbers are equal when their digits stand for
//! the same number: 1, 1.0 and 1e0 are.

use serde_json::{Number, Value};
use sqlx::{QueryBuilder, Sqlite};

/// Writes that the JSON text in `column` holds the value.
pub(in crate::db) fn push(q: &mut QueryBuilder<Sqlite>, column: &str, value: &Value) {
    let mut aliases = 0;
    // What SQLite cannot read holds nothing. One row, so that the top is a value with a type like any element of an array.
    q.push(format_args!(
        "case when json_valid({column}) then exists (select 1 from json_each(json_array(json({column}))) j0 where "
    ));
    if matches!(value, Value::Array(_) | Value::Object(_)) {
        push_held(q, "j0", value, &mut aliases);
    } else {
        q.push("(");
        push_held(q, "j0", value, &mut aliases);
        q.push(" or (j0.type = 'array' and ");
        push_some_element(q, "j0", value, &mut aliases);
        q.push("))");
    }
    q.push(") else false end");
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

/// That the value in the row `at` is this number. The number's text is read by SQLite, as the stored text is.
fn push_equal(q: &mut QueryBuilder<Sqlite>, at: &str, number: &Number) {
    /// 2^53: up to here each integer is a double, and each double stands for its own shortest digits.
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
        // SQLite would compare it as a double.
        Err(_) => q.push(format_args!("{at}.json -> {at}.fullkey = ")).push_bind(digits.clone()),
    };
    q.push(")");
    // A double stands for the number when its shortest digits are the number's.
    if let Some(nearest) = digits.parse::<f64>().ok().filter(|nearest| format!("{nearest}") == digits) {
        q.push(format_args!(" or ({at}.type = 'real' and {at}.value = (")).push_bind(format!("{nearest:e}"));
        q.push(" ->> '$'))");
    }
    q.push(")");
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
