//! Literals in documents, by the specification's rules "Values of Correct Type", "Input Object Field Uniqueness" and
//! "Input Object Required Fields". The library lets some pass, and looks at none that has variables in it.

use std::collections::HashSet;

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{
        BaseType, Directive, ExecutableDocument, InputValueDefinition, Selection, SelectionSet, Type,
        VariableDefinition,
    },
};
use async_graphql_value::Value;

use super::{
    coercion::{Input, Inputs},
    variable_usages::{Place, Usages},
};
use crate::{
    graphql::document::{SchemaTypes, tokens::Tokens},
    model::Timestamp,
};

/// One error for each argument and each default of a variable that is not of its type; and where variables stand in them.
/// What the schema does not know is left to the library.
pub fn check<'a>(
    document: &'a ExecutableDocument,
    inputs: &'a Inputs,
    shapes: &'a SchemaTypes,
) -> (Vec<ServerError>, Usages<'a>) {
    let mut walk = Walk { inputs, shapes, errors: Vec::new(), usages: Usages::default() };
    for (_, operation) in document.operations.iter() {
        walk.usages.in_operation(&operation.node.variable_definitions);
        walk.defaults(&operation.node.variable_definitions);
        walk.directives(&operation.node.directives);
        walk.set(SchemaTypes::root(operation.node.ty), &operation.node.selection_set.node);
    }
    for (name, fragment) in &document.fragments {
        walk.usages.in_fragment(name);
        walk.directives(&fragment.node.directives);
        walk.set(&fragment.node.type_condition.node.on.node, &fragment.node.selection_set.node);
    }
    (walk.errors, walk.usages)
}

/// A bracket that is open.
enum Bracket<'a> {
    Selections,
    /// Of arguments, variables, or a list.
    Values,
    /// Of an input object, with the names of its fields so far.
    Object(HashSet<&'a [u8]>),
}

/// The first field that stands twice in one input object. The parser forgets one of the two, so the text is looked at: it
/// has to be GraphQL.
pub fn given_twice(text: &str) -> Option<ServerError> {
    let mut open = Vec::new();
    let mut before = (0, &b""[..]);
    for (at, token) in Tokens::of(text) {
        if token == b":"
            && let Some(Bracket::Object(fields)) = open.last_mut()
            && !fields.insert(before.1)
        {
            let message = format!("the field {} is given twice", String::from_utf8_lossy(before.1));
            return Some(ServerError::new(message, Some(pos(text, before.0))));
        }
        match (token, open.last()) {
            (b"{", None | Some(Bracket::Selections)) => open.push(Bracket::Selections),
            (b"{", _) => open.push(Bracket::Object(HashSet::new())),
            (b"(" | b"[", _) => open.push(Bracket::Values),
            (b"}" | b")" | b"]", _) => drop(open.pop()),
            _ => {}
        }
        before = (at, token);
    }
    None
}

/// The line and column of a byte, from 1.
fn pos(text: &str, at: usize) -> Pos {
    let before = &text[..at];
    let line_start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    Pos { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

struct Walk<'a> {
    inputs: &'a Inputs,
    shapes: &'a SchemaTypes,
    errors: Vec<ServerError>,
    usages: Usages<'a>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, ty: &'a str, set: &'a SelectionSet) {
        for selection in &set.items {
            self.directives(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => {
                    let Some(shape) = self.shapes.field(ty, &field.node.name.node) else { continue };
                    self.arguments(&shape.arguments, &field.node.arguments);
                    self.set(&shape.type_name, &field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    self.set(on.unwrap_or(ty), &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.usages.spread(&spread.node.fragment_name.node),
            }
        }
    }

    fn defaults(&mut self, definitions: &'a [Positioned<VariableDefinition>]) {
        for definition in definitions {
            let VariableDefinition { name, var_type, directives, default_value } = &definition.node;
            self.directives(directives);
            if let Some(default) = default_value {
                let mistake = self.mistake(&var_type.node, &default.node.clone().into_value(), &name.node);
                self.note("the default of the variable $", mistake, default.pos);
            }
        }
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>]) {
        for directive in directives {
            let definitions = self.shapes.directive_arguments(&directive.node.name.node);
            self.arguments(definitions, &directive.node.arguments);
        }
    }

    fn arguments(
        &mut self,
        definitions: &'a [InputValueDefinition],
        given: &'a [(Positioned<Name>, Positioned<Value>)],
    ) {
        for (name, value) in given {
            let Some(definition) = find(definitions, &name.node) else { continue };
            let mistake = self.mistake(&definition.ty.node, &value.node, &name.node);
            self.note("the argument ", mistake, value.pos);
            self.usages(Place::of(definition, value.pos), &value.node);
        }
    }

    fn note(&mut self, what: &str, mistake: Option<String>, pos: Pos) {
        self.errors.extend(mistake.map(|mistake| ServerError::new(format!("{what}{mistake}"), Some(pos))));
    }

    /// The first thing that is wrong with a literal: where, and what. Variables in it are coerced elsewhere.
    fn mistake(&self, ty: &Type, value: &Value, path: &str) -> Option<String> {
        match (&ty.base, value) {
            (_, Value::Variable(_)) => None,
            (_, Value::Null) => (!ty.nullable).then(|| format!("{path} must not be null")),
            (BaseType::List(of), Value::List(values)) => {
                values.iter().enumerate().find_map(|(at, value)| self.mistake(of, value, &format!("{path}[{at}]")))
            }
            // A single value stands for a list of one.
            (BaseType::List(of), value) => self.mistake(of, value, path),
            (BaseType::Named(name), value) => {
                let fits = match (self.inputs.get(name), value) {
                    (Some(Input::Object(fields)), Value::Object(given)) => return self.in_object(fields, given, path),
                    (Some(Input::Enum(words)), Value::Enum(word)) => words.contains(word.as_str()),
                    (Some(_), _) => false,
                    (None, value) => fits(name, value),
                };
                (!fits).then(|| format!("{path} is not of type {name}"))
            }
        }
    }

    fn in_object(&self, fields: &[InputValueDefinition], given: &Object, path: &str) -> Option<String> {
        if let Some(name) = given.keys().find(|name| find(fields, name).is_none()) {
            return Some(format!("{path}.{name} is not a field of this type"));
        }
        fields.iter().find_map(|field| {
            let (name, ty) = (&field.name.node, &field.ty.node);
            match given.get(name) {
                Some(value) => self.mistake(ty, value, &format!("{path}.{name}")),
                None if !ty.nullable && field.default_value.is_none() => {
                    Some(format!("{path}.{name} is required, and was not given"))
                }
                None => None,
            }
        })
    }

    /// Notes the variables in a value.
    fn usages(&mut self, place: Place<'a>, value: &'a Value) {
        match (&place.ty.base, value) {
            (_, Value::Variable(name)) => self.usages.variable(name, place),
            (BaseType::List(of), Value::List(values)) => {
                for value in values {
                    self.usages(place.item(of), value);
                }
            }
            // A single value stands for a list of one.
            (BaseType::List(of), Value::Object(_)) => self.usages(place.item(of), value),
            (BaseType::Named(ty), Value::Object(given)) => {
                let Some(Input::Object(fields)) = self.inputs.get(ty) else { return };
                for (name, value) in given {
                    if let Some(field) = find(fields, name) {
                        self.usages(Place::of(field, place.pos), value);
                    }
                }
            }
            _ => {}
        }
    }
}

type Object = async_graphql::indexmap::IndexMap<Name, Value>;

fn find<'a>(definitions: &'a [InputValueDefinition], name: &str) -> Option<&'a InputValueDefinition> {
    definitions.iter().find(|definition| definition.name.node == name)
}

/// Whether a literal is one of the scalar's. `1.0` is no integer here, other than in JSON.
fn fits(scalar: &str, literal: &Value) -> bool {
    match (scalar, literal) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("ID", Value::Number(number)) => !number.is_f64(),
        ("ID" | "String", Value::String(_)) | ("Float", Value::Number(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("DateTime", Value::String(text)) => text.parse::<Timestamp>().is_ok(),
        // JSON takes everything, and what the schema does not know is left to the library.
        _ => !matches!(scalar, "Int" | "ID" | "String" | "Float" | "Boolean" | "DateTime"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_given_twice_is_found_where_it_is() {
        for (text, found) in [
            ("{ a(b: {c: 1, d: 2}) { c: x c: x d } }", None),
            ("{ a(b: {c: 1}) b(b: {c: [{c: C}, {c: C}]}) }", None),
            ("{ a(b: {c: \"{c: 1, c: 2}\"}) } # (b: {c: 1, c: 1})", None),
            ("query($a: A = {b: 1, c: {b: 1}}) { a(a: $a) @d(e: {b: 1}) }", None),
            ("{ a(b: {c: 1\n  ,c: 2}) }", Some((2, 4))),
            ("{ a(b: {c: {d: 1}, e: [{f: \"ü\" g: 1 f: 2}]}) }", Some((1, 37))),
            ("query($a: A = {b: 1, b: 1}) { a(a: $a) }", Some((1, 22))),
            ("{ a @d(e: {b: 1, c: {}, b: 1}) }", Some((1, 25))),
        ] {
            let error = given_twice(text);
            let place = error.as_ref().map(|error| (error.locations[0].line, error.locations[0].column));
            assert_eq!(place, found, "{text} {error:?}");
        }
    }
}
