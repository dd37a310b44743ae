//! Variables that were not given and have no default: an argument or field that they stand for is absent too, by the
//! specification. The library takes them for null, which in an update would clear what is to be left alone.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection,
        SelectionSet,
    },
};
use async_graphql_value::Value;

/// The variables of the operation that have no value.
pub fn variables(operation: &OperationDefinition, values: &Variables) -> HashSet<Name> {
    let names = operation.variable_definitions.iter().map(|definition| &definition.node.name.node);
    names.filter(|name| !values.contains_key(*name)).cloned().collect()
}

/// The operation alone, with what it spreads, and without the arguments and fields that these variables stand for.
/// The whole document has to be valid: what is taken away is not looked at again.
pub fn without(
    mut operation: Positioned<OperationDefinition>,
    mut fragments: HashMap<Name, Positioned<FragmentDefinition>>,
    absent: &HashSet<Name>,
) -> ExecutableDocument {
    let definitions = &mut operation.node.variable_definitions;
    definitions.retain(|definition| !absent.contains(&definition.node.name.node));
    let mut spread = HashSet::new();
    spreads(&operation.node.selection_set.node, &fragments, &mut spread);
    fragments.retain(|name, _| spread.contains(name));
    in_directives(&mut operation.node.directives, absent);
    in_set(&mut operation.node.selection_set.node, absent);
    for fragment in fragments.values_mut() {
        in_directives(&mut fragment.node.directives, absent);
        in_set(&mut fragment.node.selection_set.node, absent);
    }
    ExecutableDocument { operations: DocumentOperations::Single(operation), fragments }
}

fn spreads(set: &SelectionSet, fragments: &HashMap<Name, Positioned<FragmentDefinition>>, found: &mut HashSet<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => spreads(&field.node.selection_set.node, fragments, found),
            Selection::InlineFragment(fragment) => spreads(&fragment.node.selection_set.node, fragments, found),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = fragments.get(name)
                    && found.insert(name.clone())
                {
                    spreads(&fragment.node.selection_set.node, fragments, found);
                }
            }
        }
    }
}

fn in_set(set: &mut SelectionSet, absent: &HashSet<Name>) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                in_arguments(&mut field.node.arguments, absent);
                in_directives(&mut field.node.directives, absent);
                in_set(&mut field.node.selection_set.node, absent);
            }
            Selection::InlineFragment(fragment) => {
                in_directives(&mut fragment.node.directives, absent);
                in_set(&mut fragment.node.selection_set.node, absent);
            }
            Selection::FragmentSpread(spread) => in_directives(&mut spread.node.directives, absent),
        }
    }
}

fn in_directives(directives: &mut [Positioned<Directive>], absent: &HashSet<Name>) {
    for directive in directives {
        in_arguments(&mut directive.node.arguments, absent);
    }
}

fn in_arguments(arguments: &mut Vec<(Positioned<Name>, Positioned<Value>)>, absent: &HashSet<Name>) {
    arguments.retain(|(_, value)| !is_absent(&value.node, absent));
    for (_, value) in arguments {
        in_value(&mut value.node, absent);
    }
}

fn in_value(value: &mut Value, absent: &HashSet<Name>) {
    match value {
        // In a list there is a place for it, which is null.
        value if is_absent(value, absent) => *value = Value::Null,
        Value::List(values) => values.iter_mut().for_each(|value| in_value(value, absent)),
        Value::Object(fields) => {
            fields.retain(|_, value| !is_absent(value, absent));
            fields.values_mut().for_each(|value| in_value(value, absent));
        }
        _ => {}
    }
}

fn is_absent(value: &Value, absent: &HashSet<Name>) -> bool {
    matches!(value, Value::Variable(name) if absent.contains(name))
}
