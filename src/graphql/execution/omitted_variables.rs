//! Variables without a value and without a default. By the specification an argument or input field with such a variable counts
//! as omitted. async-graphql treats it as null, so an update would clear the field instead of leaving it unchanged.

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
pub fn omitted_variables(operation: &OperationDefinition, values: &Variables) -> HashSet<Name> {
    let names = operation.variable_definitions.iter().map(|definition| &definition.node.name.node);
    names.filter(|name| !values.contains_key(*name)).cloned().collect()
}

/// Removes all arguments and input fields whose value is an omitted variable. The result contains only this operation and its
/// fragments. The whole document must have been validated before: the removed parts are not validated afterwards.
pub fn remove_omitted(
    mut operation: Positioned<OperationDefinition>,
    mut fragments: HashMap<Name, Positioned<FragmentDefinition>>,
    omitted: &HashSet<Name>,
) -> ExecutableDocument {
    let definitions = &mut operation.node.variable_definitions;
    definitions.retain(|definition| !omitted.contains(&definition.node.name.node));
    let mut used = HashSet::new();
    collect_spreads(&operation.node.selection_set.node, &fragments, &mut used);
    fragments.retain(|name, _| used.contains(name));
    remove_in_directives(&mut operation.node.directives, omitted);
    remove_in_selection_set(&mut operation.node.selection_set.node, omitted);
    for fragment in fragments.values_mut() {
        remove_in_directives(&mut fragment.node.directives, omitted);
        remove_in_selection_set(&mut fragment.node.selection_set.node, omitted);
    }
    ExecutableDocument { operations: DocumentOperations::Single(operation), fragments }
}

fn collect_spreads(
    set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    used: &mut HashSet<Name>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => collect_spreads(&field.node.selection_set.node, fragments, used),
            Selection::InlineFragment(fragment) => collect_spreads(&fragment.node.selection_set.node, fragments, used),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = fragments.get(name)
                    && used.insert(name.clone())
                {
                    collect_spreads(&fragment.node.selection_set.node, fragments, used);
                }
            }
        }
    }
}

fn remove_in_selection_set(set: &mut SelectionSet, omitted: &HashSet<Name>) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                remove_in_arguments(&mut field.node.arguments, omitted);
                remove_in_directives(&mut field.node.directives, omitted);
                remove_in_selection_set(&mut field.node.selection_set.node, omitted);
            }
            Selection::InlineFragment(fragment) => {
                remove_in_directives(&mut fragment.node.directives, omitted);
                remove_in_selection_set(&mut fragment.node.selection_set.node, omitted);
            }
            Selection::FragmentSpread(spread) => remove_in_directives(&mut spread.node.directives, omitted),
        }
    }
}

fn remove_in_directives(directives: &mut [Positioned<Directive>], omitted: &HashSet<Name>) {
    for directive in directives {
        remove_in_arguments(&mut directive.node.arguments, omitted);
    }
}

fn remove_in_arguments(arguments: &mut Vec<(Positioned<Name>, Positioned<Value>)>, omitted: &HashSet<Name>) {
    arguments.retain(|(_, value)| !is_omitted(&value.node, omitted));
    for (_, value) in arguments {
        remove_in_value(&mut value.node, omitted);
    }
}

fn remove_in_value(value: &mut Value, omitted: &HashSet<Name>) {
    match value {
        // An item of a list cannot be omitted: it is null.
        value if is_omitted(value, omitted) => *value = Value::Null,
        Value::List(values) => values.iter_mut().for_each(|value| remove_in_value(value, omitted)),
        Value::Object(fields) => {
            fields.retain(|_, value| !is_omitted(value, omitted));
            fields.values_mut().for_each(|value| remove_in_value(value, omitted));
        }
        _ => {}
    }
}

fn is_omitted(value: &Value, omitted: &HashSet<Name>) -> bool {
    matches!(value, Value::Variable(name) if omitted.contains(name))
}
