//! Errors of fields as the specification has them. The library runs a field once for each place where it is selected, and
//! puts the answers together: here one error remains, with all those places, and null goes as far up as the types demand.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, PathSegment, Pos, Positioned, Response, Value, Variables,
    parser::types::{
        Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    },
};

use crate::graphql::document::{SchemaTypes, schema_types};

/// Puts the errors and the data of an answer right. The document was valid, and these were its variables' values.
pub fn settle(
    response: &mut Response,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    shapes: &SchemaTypes,
) {
    let walk = Walk { fragments: &document.fragments, variables, shapes };
    let mut seen = HashSet::new();
    response.errors.retain(|error| error.path.is_empty() || seen.insert(format!("{:?}", error.path)));
    for error in response.errors.iter_mut().filter(|error| !error.path.is_empty()) {
        let root = Place { set: &operation.selection_set.node, ty: SchemaTypes::root(operation.ty) };
        let (fields, keep) = walk.follow(root, &error.path);
        if let Some(failed) = fields.iter().find(|found| error.locations.contains(&found.field.pos)) {
            // Of an interface's types only one was there.
            let there = fields.iter().filter(|found| found.ty == failed.ty || !shapes.is_object(found.ty));
            error.locations = there.map(|found| found.field.pos).collect();
            error.locations.sort_by_key(|pos: &Pos| (pos.line, pos.column));
            // A fragment may be spread twice.
            error.locations.dedup();
        }
        clear(&mut response.data, &error.path[..keep]);
    }
}

/// Sets null at a path, unless there is null on the way.
fn clear(mut value: &mut Value, path: &[PathSegment]) {
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

/// A selection set, and the type it selects from as far as the document tells.
#[derive(Clone, Copy)]
struct Place<'a> {
    set: &'a SelectionSet,
    ty: &'a str,
}

/// A field of the document, and the type it is selected from.
#[derive(Clone, Copy)]
struct Found<'a> {
    field: &'a Positioned<Field>,
    ty: &'a str,
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'a Variables,
    shapes: &'a SchemaTypes,
}

impl<'a> Walk<'a> {
    /// The fields that a path leads to, and how much of the path leads to the last place that may be null.
    fn follow(&self, root: Place<'a>, path: &[PathSegment]) -> (Vec<Found<'a>>, usize) {
        let mut places = vec![root];
        let mut fields = Vec::new();
        let mut keep = 0;
        for (at, segment) in path.iter().enumerate() {
            let shape = |found: &Found<'a>| self.shapes.field(found.ty, &found.field.node.name.node);
            let may_be_null = match segment {
                PathSegment::Field(key) => {
                    fields = Vec::new();
                    for place in &places {
                        self.collect(*place, key, &mut fields);
                    }
                    let below = |found: &Found<'a>| {
                        let set = &found.field.node.selection_set.node;
                        shape(found).map(|shape| Place { set, ty: shape.of.as_str() })
                    };
                    places = fields.iter().filter_map(below).collect();
                    fields.first().and_then(shape).is_some_and(schema_types::Field::may_be_null)
                }
                PathSegment::Index(_) => {
                    fields.first().and_then(shape).is_some_and(schema_types::Field::items_may_be_null)
                }
            };
            if may_be_null {
                keep = at + 1;
            }
        }
        (fields, keep)
    }

    /// The fields with this key in a selection set, fragments put in.
    fn collect(&self, place: Place<'a>, key: &str, into: &mut Vec<Found<'a>>) {
        for selection in &place.set.items {
            if self.left_out(selection.node.directives()) {
                continue;
            }
            let (on, set) = match &selection.node {
                Selection::Field(field) => {
                    if field.node.response_key().node == key {
                        into.push(Found { field, ty: place.ty });
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
            // An object stays what it is, also where a fragment says no more than its interface.
            let ty = match on {
                Some(on) if self.shapes.is_object(on) => {
                    if self.shapes.is_object(place.ty) && on != place.ty {
                        continue;
                    }
                    on
                }
                _ => place.ty,
            };
            self.collect(Place { set, ty }, key, into);
        }
    }

    fn left_out(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let left_out_if = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.node.get_argument("if").map(|value| value.node.clone());
            let condition = condition
                .and_then(|value| value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(())).ok());
            condition == Some(Value::Boolean(left_out_if))
        })
    }
}
