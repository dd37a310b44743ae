//! Field errors and null propagation by the specification. async-graphql executes a field once for each place that selects it
//! and merges the results. Here one error remains per path, with the locations of all places, and a null propagates to the
//! nearest nullable parent.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, PathSegment, Pos, Positioned, Response, Value, Variables,
    parser::types::{
        Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    },
};

use crate::graphql::document::{SchemaField, SchemaTypes};

/// Corrects the errors and the data of a response. The document must be valid, and the variables coerced.
pub fn propagate_nulls(
    response: &mut Response,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    types: &SchemaTypes,
) {
    let collector = FieldCollector { fragments: &document.fragments, variables, types };
    let mut paths = HashSet::new();
    response.errors.retain(|error| error.path.is_empty() || paths.insert(format!("{:?}", error.path)));
    for error in response.errors.iter_mut().filter(|error| !error.path.is_empty()) {
        let root = ObjectSelection { set: &operation.selection_set.node, ty: SchemaTypes::root(operation.ty) };
        let FieldsAtPath { fields, nullable_length } = collector.fields_at_path(root, &error.path);
        if let Some(failed) = fields.iter().find(|collected| error.locations.contains(&collected.field.pos)) {
            // Below an interface, only the fields of the object's own type were executed.
            let is_executed =
                |collected: &&CollectedField<'_>| collected.ty == failed.ty || !types.is_object(collected.ty);
            error.locations = fields.iter().filter(is_executed).map(|collected| collected.field.pos).collect();
            error.locations.sort_by_key(|pos: &Pos| (pos.line, pos.column));
            // Fields of a fragment that is spread twice.
            error.locations.dedup();
        }
        set_null(&mut response.data, &error.path[..nullable_length]);
    }
}

/// Replaces the value at a path by null, unless the path leads through null.
fn set_null(mut value: &mut Value, path: &[PathSegment]) {
    for segment in path {
        let next = match (value, segment) {
            (Value::Object(fields), PathSegment::Field(key)) => fields.get_mut(key.as_str()),
            (Value::List(items), PathSegment::Index(at)) => items.get_mut(*at),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return,
        }
    }
    *value = Value::Null;
}

/// A selection set and the type of the object that it selects from, as far as the document determines the type.
#[derive(Clone, Copy)]
struct ObjectSelection<'a> {
    set: &'a SelectionSet,
    ty: &'a str,
}

/// A field of the document and the type that it is selected from.
#[derive(Clone, Copy)]
struct CollectedField<'a> {
    field: &'a Positioned<Field>,
    ty: &'a str,
}

/// The fields that a response path leads to.
struct FieldsAtPath<'a> {
    fields: Vec<CollectedField<'a>>,
    /// The length of the path to the nearest nullable value.
    nullable_length: usize,
}

struct FieldCollector<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'a Variables,
    types: &'a SchemaTypes,
}

impl<'a> FieldCollector<'a> {
    fn fields_at_path(&self, root: ObjectSelection<'a>, path: &[PathSegment]) -> FieldsAtPath<'a> {
        let definition =
            |collected: &CollectedField<'a>| self.types.field(collected.ty, &collected.field.node.name.node);
        let mut objects = vec![root];
        let mut fields = Vec::new();
        let mut nullable_length = 0;
        for (at, segment) in path.iter().enumerate() {
            let is_nullable = match segment {
                PathSegment::Field(key) => {
                    fields = Vec::new();
                    for object in &objects {
                        self.collect(*object, key, &mut fields);
                    }
                    let object_of = |collected: &CollectedField<'a>| {
                        let set = &collected.field.node.selection_set.node;
                        definition(collected).map(|field| ObjectSelection { set, ty: field.type_name.as_str() })
                    };
                    objects = fields.iter().filter_map(object_of).collect();
                    fields.first().and_then(definition).is_some_and(SchemaField::is_nullable)
                }
                PathSegment::Index(_) => {
                    fields.first().and_then(definition).is_some_and(SchemaField::has_nullable_items)
                }
            };
            if is_nullable {
                nullable_length = at + 1;
            }
        }
        FieldsAtPath { fields, nullable_length }
    }

    /// Collects the fields with this response key, with fragments expanded (`CollectFields` in the specification).
    fn collect(&self, object: ObjectSelection<'a>, key: &str, into: &mut Vec<CollectedField<'a>>) {
        for selection in &object.set.items {
            if self.is_excluded(selection.node.directives()) {
                continue;
            }
            let (on, set) = match &selection.node {
                Selection::Field(field) => {
                    if field.node.response_key().node == key {
                        into.push(CollectedField { field, ty: object.ty });
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    (on, &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) else { continue };
                    let on = fragment.node.type_condition.node.on.node.as_str();
                    (Some(on), &fragment.node.selection_set.node)
                }
            };
            // A fragment on an interface does not change a known object type.
            let ty = match on {
                Some(on) if self.types.is_object(on) => {
                    if self.types.is_object(object.ty) && on != object.ty {
                        continue;
                    }
                    on
                }
                _ => object.ty,
            };
            self.collect(ObjectSelection { set, ty }, key, into);
        }
    }

    /// Returns true if `@skip` or `@include` exclude the selection.
    fn is_excluded(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let excluded_if = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.node.get_argument("if").map(|value| value.node.clone());
            let condition = condition
                .and_then(|value| value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(())).ok());
            condition == Some(Value::Boolean(excluded_if))
        })
    }
}
