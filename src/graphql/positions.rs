//! Whether the variables of a document are of the types of the places where they stand, by the specification's section "All
//! Variable Usages Are Allowed". The library's rule of that name is never asked: it looks at the values instead, so a
//! document that breaks this rule is refused with some values and not with others.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::{
        parse_schema,
        types::{
            BaseType, Directive, ExecutableDocument, InputValueDefinition, Selection, SelectionSet, Type, TypeKind,
            TypeSystemDefinition,
        },
    },
};
use async_graphql_value::Value;

use super::shapes::Shapes;

/// The types of arguments, as `Type.field.argument`, and of the fields of input objects, as `Type.field`.
#[derive(Debug)]
pub struct Positions(HashMap<String, Type>);

impl Positions {
    /// From the schema definition language, as the library prints it.
    pub fn of(sdl: &str) -> Self {
        let mut types = HashMap::new();
        let mut add = |path: String, values: &[Positioned<InputValueDefinition>]| {
            for value in values {
                types.insert(format!("{path}.{}", value.node.name.node), value.node.ty.node.clone());
            }
        };
        for definition in parse_schema(sdl).expect("the SDL of our own schema is GraphQL").definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = &ty.node.name.node;
            let fields = match &ty.node.kind {
                TypeKind::InputObject(input) => {
                    add(name.to_string(), &input.fields);
                    continue;
                }
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => continue,
            };
            for field in fields {
                add(format!("{name}.{}", field.node.name.node), &field.node.arguments);
            }
        }
        Self(types)
    }

    /// Whether every variable may stand where it stands, whatever its value. What is not known counts as a no.
    pub fn suit(&self, document: &ExecutableDocument, shapes: &Shapes) -> bool {
        let mut declared = HashMap::new();
        for (_, operation) in document.operations.iter() {
            for definition in &operation.node.variable_definitions {
                let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
                // The library holds the values of one operation against all others.
                if declared.insert(name, ty).is_some_and(|other| other != ty) {
                    return false;
                }
            }
        }
        if declared.is_empty() {
            return true;
        }
        let walk = Walk { positions: self, shapes, declared };
        let mut sets = document
            .operations
            .iter()
            .map(|(_, operation)| (Shapes::root(operation.node.ty), &operation.node.selection_set.node))
            .chain(document.fragments.values().map(|fragment| {
                (fragment.node.type_condition.node.on.node.as_str(), &fragment.node.selection_set.node)
            }));
        sets.all(|(ty, set)| walk.set(Some(ty), set))
    }
}

struct Walk<'a> {
    positions: &'a Positions,
    shapes: &'a Shapes,
    declared: HashMap<&'a Name, &'a Type>,
}

impl Walk<'_> {
    /// Fragments that are spread are looked at by themselves.
    fn set(&self, ty: Option<&str>, set: &SelectionSet) -> bool {
        set.items.iter().all(|selection| {
            self.directives(selection.node.directives())
                && match &selection.node {
                    Selection::Field(field) => {
                        let name = &field.node.name.node;
                        let below = ty.and_then(|ty| self.shapes.field(ty, name)).map(|shape| shape.of.as_str());
                        field.node.arguments.iter().all(|(argument, value)| {
                            let path = format!("{}.{name}.{}", ty.unwrap_or_default(), argument.node);
                            self.value(self.positions.0.get(&path), &value.node)
                        }) && self.set(below, &field.node.selection_set.node)
                    }
                    Selection::InlineFragment(fragment) => {
                        let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                        self.set(on.or(ty), &fragment.node.selection_set.node)
                    }
                    Selection::FragmentSpread(_) => true,
                }
        })
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> bool {
        let condition = Type::new("Boolean!");
        directives.iter().all(|directive| {
            let known = matches!(directive.node.name.node.as_str(), "skip" | "include");
            let ty = condition.as_ref().filter(|_| known);
            directive.node.arguments.iter().all(|(_, value)| self.value(ty, &value.node))
        })
    }

    fn value(&self, position: Option<&Type>, value: &Value) -> bool {
        match value {
            Value::Variable(name) => match (position, self.declared.get(name)) {
                (Some(position), Some(declared)) => takes(position, declared),
                _ => false,
            },
            Value::List(values) => {
                let item = position.and_then(|position| match &position.base {
                    BaseType::List(item) => Some(&**item),
                    BaseType::Named(_) => None,
                });
                values.iter().all(|value| self.value(item, value))
            }
            Value::Object(fields) => {
                let of = position.map(|position| innermost(&position.base));
                fields.iter().all(|(name, value)| {
                    let path = format!("{}.{name}", of.unwrap_or_default());
                    self.value(self.positions.0.get(&path), value)
                })
            }
            _ => true,
        }
    }
}

/// A single object stands for a list of one.
fn innermost(base: &BaseType) -> &str {
    match base {
        BaseType::Named(name) => name,
        BaseType::List(of) => innermost(&of.base),
    }
}

/// Whether whatever is of the one type is of the other. A default does not help: null may be given all the same.
fn takes(position: &Type, declared: &Type) -> bool {
    (position.nullable || !declared.nullable)
        && match (&position.base, &declared.base) {
            (BaseType::Named(position), BaseType::Named(declared)) => position == declared,
            (BaseType::List(position), BaseType::List(declared)) => takes(position, declared),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;
    use crate::graphql::Api;

    #[test]
    fn a_variable_is_of_the_type_of_its_place_or_of_a_narrower_one() {
        let sdl = Api::default().sdl();
        let (positions, shapes) = (Positions::of(&sdl), Shapes::of(&sdl));
        for (text, suits) in [
            ("{ users { nodes { id } } }", true),
            ("query($a: Int) { users(first: $a) { nodes { id } } }", true),
            ("query($a: Int!) { users(first: $a) { nodes { sessions(last: $a) { totalCount } } } }", true),
            ("query($a: String) { users(first: $a) { nodes { id } } }", false),
            ("query($a: ID!) { node(id: $a) { id } }", true),
            ("query($a: ID) { node(id: $a) { id } }", false),
            ("query($a: ID = \"x\") { node(id: $a) { id } }", false),
            ("query($a: [ID!]!) { nodes(ids: $a) { id } }", true),
            ("query($a: [ID]!) { nodes(ids: $a) { id } }", false),
            ("query($a: ID!) { nodes(ids: [$a]) { id } }", true),
            ("query($a: ID) { nodes(ids: [$a]) { id } }", false),
            ("query($a: ID!) { nodes(ids: $a) { id } }", false),
            (
                "query($a: Boolean) { sessions(filter: { and: [{ isActive: $a }, { not: { isActive: $a } }] }) { totalCount } }",
                true,
            ),
            ("query($a: Boolean) { sessions(filter: { and: { isActive: $a } }) { totalCount } }", true),
            ("query($a: String) { sessions(filter: { and: { isActive: $a } }) { totalCount } }", false),
            (
                "query($a: SessionFilter) { sessions(filter: $a) { totalCount } users { nodes { ...F } } } fragment F on User { sessions(filter: $a) { totalCount } }",
                true,
            ),
            (
                "query($a: UserFilter) { users { nodes { ... on User { sessions(filter: $a) { totalCount } } } } }",
                false,
            ),
            ("query($a: Boolean!) { me { ... @skip(if: $a) { id @include(if: $a) } } }", true),
            ("query($a: Boolean) { me { id @include(if: $a) } }", false),
            ("query($a: String!) { __type(name: $a) { name } }", false),
            (
                "query A($a: Int) { users(first: $a) { totalCount } } query B($a: Int) { users(last: $a) { totalCount } }",
                true,
            ),
            (
                "query A($a: Int) { users(first: $a) { totalCount } } query B($a: String) { users(after: $a) { totalCount } }",
                false,
            ),
        ] {
            assert_eq!(positions.suit(&parse_query(text).expect("GraphQL"), &shapes), suits, "{text}");
        }
    }
}
