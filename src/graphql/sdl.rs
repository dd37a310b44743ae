//! The SDL of the schema. The library's export omits the descriptions of directive arguments, and directives that the schema
//! defines without using them; introspection has both, and tools compare the two.

use std::fmt::Write;

use async_graphql::{Name, ObjectType, SDLExportOptions, Schema, SubscriptionType, Value, indexmap::IndexMap};
use futures_util::FutureExt;

const DIRECTIVES: &str = "{ __schema { directives { name description locations
    args { name description defaultValue type { kind name ofType { kind name } } } } } }";

type Object = IndexMap<Name, Value>;

/// The SDL with everything that introspection shows.
pub fn of<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let sdl = schema.sdl_with_options(SDLExportOptions::new().include_specified_by());
    // Introspection never waits.
    let response = schema.execute(DIRECTIVES).now_or_never().map(|response| response.data).unwrap_or_default();
    let schema = match &response {
        Value::Object(data) => data.get("__schema"),
        _ => None,
    };
    let Some(Value::Object(schema)) = schema else { return sdl };
    let directives = objects(schema, "directives");
    let mut text = String::with_capacity(sdl.len() + 2_048);
    let mut written = Vec::new();
    for line in sdl.lines() {
        let name = line.strip_prefix("directive @").and_then(|rest| rest.split(['(', ' ']).next());
        let directive = name.and_then(|name| directives.iter().find(|directive| string(directive, "name") == name));
        if let Some(directive) = directive {
            define(&mut text, directive);
            written.push(string(directive, "name"));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    for directive in directives.iter().filter(|directive| !written.contains(&string(directive, "name"))) {
        describe(&mut text, "", directive);
        define(&mut text, directive);
    }
    text
}

/// Writes the definition of a directive.
fn define(text: &mut String, directive: &Object) {
    let arguments = objects(directive, "args");
    let _ = write!(text, "directive @{}", string(directive, "name"));
    if !arguments.is_empty() {
        text.push_str("(\n");
        for argument in arguments {
            describe(text, "\t", argument);
            let _ = write!(text, "\t{}: {}", string(argument, "name"), type_name(argument.get("type")));
            match string(argument, "defaultValue") {
                "" => text.push('\n'),
                default => drop(writeln!(text, " = {default}")),
            }
        }
        text.push(')');
    }
    let locations = match directive.get("locations") {
        Some(Value::List(locations)) => locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
        _ => String::new(),
    };
    let _ = writeln!(text, " on {locations}");
}

fn describe(text: &mut String, indent: &str, of: &Object) {
    let description = string(of, "description");
    if !description.is_empty() {
        let description = description.replace('\n', &format!("\n{indent}"));
        let _ = writeln!(text, "{indent}\"\"\"\n{indent}{description}\n{indent}\"\"\"");
    }
}

/// The type of an argument: a named type, or a non-null one.
fn type_name(ty: Option<&Value>) -> String {
    let Some(Value::Object(ty)) = ty else { return String::new() };
    match ty.get("ofType") {
        Some(of @ Value::Object(_)) => format!("{}!", type_name(Some(of))),
        _ => string(ty, "name").to_owned(),
    }
}

fn objects<'a>(of: &'a Object, name: &str) -> Vec<&'a Object> {
    let Some(Value::List(items)) = of.get(name) else { return Vec::new() };
    items.iter().filter_map(|item| if let Value::Object(item) = item { Some(item) } else { None }).collect()
}

fn string<'a>(of: &'a Object, name: &str) -> &'a str {
    if let Some(Value::String(text)) = of.get(name) { text } else { "" }
}
