//! The complexity of an operation, and the limits on its complexity, depth and aliases. The size of the document must have been
//! checked, because fragments are visited wherever they are spread.
//!
//! # How complexity is computed
//!
//! **The complexity is the number of fields in the largest response that the operation can have.** Every field counts 1. The
//! fields below a list count once for each item that the list can have:
//!
//! - below `nodes` and `edges` of a connection, the page size: `first` or `last`, or 20 if neither is given;
//! - below any other list, `first`, or the length of the list in its arguments (`nodes(ids: [..])`), or 20.
//!
//! So `{ users(first: 100) { nodes { id username } } }` has a complexity of 202: 1 for `users`, 1 for `nodes`, and 100 × 2
//! below. Fragments count wherever they are spread, aliases each on their own, fields with `@skip` and `@include` as if they
//! were included, and fragments on several types all together.
//!
//! Some fields count more than 1, because they cost more: `totalCount` 10; `auditLogStats` and everything that hashes a password
//! 100; `overTime` 1,000; fields with long values, `context` and `details` 4, `description` 2. A filter operator that no index
//! serves counts 100: `contains` and `startsWith` on text, `contains` on JSON, and `search`. Introspection reads memory and not
//! the database, so it counts a tenth.
//!
//! The depth of a field is the number of fields on its path, including itself. `ofType` does not count, because a type has few
//! wrappers however often it is selected. On each path introspection may list the members of a type once: `fields`,
//! `inputFields`, `interfaces` and `possibleTypes` must not be nested. The queries of common tools comply.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet},
};

use super::{
    argument_values::ArgumentValues,
    limit_error::{limit_exceeded, more_than},
    root_fields::is_introspection,
    schema_types::SchemaTypes,
};
use crate::{
    config::DocumentLimits,
    error::{Error, ErrorCode, Result},
    graphql::page_size::DEFAULT_PAGE_SIZE,
};

/// The number of introspection fields that count as one field.
const INTROSPECTION_DISCOUNT: u64 = 10;
/// Introspection fields that list the members of a type, which have types themselves.
const MEMBER_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
/// The most wrappers of a type in this schema: `[T!]!`. Beyond them `ofType` is null.
const MAX_WRAPPERS: usize = 3;

/// Computes the complexity of the operation. Rejects the operation if it exceeds a limit.
pub fn compute(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    types: &SchemaTypes,
    limits: &DocumentLimits,
) -> Result<u64> {
    let calculator = Calculator {
        fragments: &document.fragments,
        arguments: ArgumentValues::new(operation, variables),
        types,
        limits,
    };
    let root = Parent { ty: Some(SchemaTypes::root(operation.ty)), depth: 0, page_size: None };
    let complexity = calculator.object(&operation.selection_set.node, &root)?;
    if complexity > limits.cost {
        return Err(limit_exceeded(format_args!("query complexity {complexity}"), limits.cost, "MAX_COST"));
    }
    Ok(complexity.max(1))
}

struct Calculator<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    arguments: ArgumentValues<'a>,
    types: &'a SchemaTypes,
    limits: &'a DocumentLimits,
}

/// The object that a selection set selects from.
#[derive(Clone, Copy)]
struct Parent<'a> {
    /// The object's type; `None` if the schema does not have it, which validation reports.
    ty: Option<&'a str>,
    /// The number of fields on the path to the object.
    depth: usize,
    /// The page size, if the object is a connection.
    page_size: Option<u64>,
}

/// An object of introspection that a selection set selects from.
#[derive(Clone, Copy)]
struct IntrospectionParent {
    /// The number of fields on the path to the object, without `ofType`.
    depth: usize,
    /// The number of consecutive `ofType` at the end of the path.
    wrappers: usize,
    /// Whether the path contains a list of members.
    is_member: bool,
}

/// The response keys of each field of one object.
type ResponseKeys<'a> = HashMap<&'a str, HashSet<&'a str>>;

impl<'a> Calculator<'a> {
    /// The complexity of everything selected from one object.
    fn object(&self, set: &'a SelectionSet, parent: &Parent<'a>) -> Result<u64> {
        self.selection_set(set, parent, &mut ResponseKeys::new())
    }

    fn selection_set(&self, set: &'a SelectionSet, parent: &Parent<'a>, keys: &mut ResponseKeys<'a>) -> Result<u64> {
        let mut complexity = 0_u64;
        for selection in &set.items {
            let added = match &selection.node {
                Selection::Field(field) => {
                    self.check_field(field, parent.depth + 1, keys)?;
                    self.field(&field.node, parent)?
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    let parent = Parent { ty: on.or(parent.ty), ..*parent };
                    self.selection_set(&fragment.node.selection_set.node, &parent, keys)?
                }
                Selection::FragmentSpread(spread) => match self.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => {
                        let parent = Parent { ty: Some(&fragment.node.type_condition.node.on.node), ..*parent };
                        self.selection_set(&fragment.node.selection_set.node, &parent, keys)?
                    }
                    None => 0,
                },
            };
            complexity = complexity.saturating_add(added);
        }
        Ok(complexity)
    }

    /// Checks the depth of a field and the number of its aliases.
    fn check_field(&self, field: &'a Positioned<Field>, depth: usize, keys: &mut ResponseKeys<'a>) -> Result<()> {
        let location = Some((field.pos.line, field.pos.column));
        if depth > self.limits.depth {
            let error = limit_exceeded(format_args!("query depth {depth}"), self.limits.depth, "MAX_DEPTH");
            return Err(error.with_location(location));
        }
        let name = field.node.name.node.as_str();
        let keys = keys.entry(name).or_default();
        keys.insert(&field.node.response_key().node);
        if keys.len() > self.limits.aliases {
            let counted = format_args!("aliases of `{name}` in one object");
            return Err(more_than(self.limits.aliases, counted, "MAX_ALIASES").with_location(location));
        }
        Ok(())
    }

    fn field(&self, field: &'a Field, parent: &Parent<'a>) -> Result<u64> {
        let name = field.name.node.as_str();
        let set = &field.selection_set.node;
        let depth = parent.depth + 1;
        if parent.depth == 0 && is_introspection(name) {
            let schema = IntrospectionParent { depth, wrappers: 0, is_member: false };
            let fields = self.introspection_object(set, schema)?.saturating_add(1);
            return Ok(fields.div_ceil(INTROSPECTION_DISCOUNT));
        }
        let Some(field_type) = parent.ty.and_then(|ty| self.types.field(ty, name)) else {
            let below = self.object(set, &Parent { ty: None, depth, page_size: None })?;
            return Ok(below.saturating_add(1));
        };
        let page_size = field_type.is_paginated.then(|| self.arguments.page_size(field));
        let (items, page_size) = if field_type.is_list {
            let items = page_size.or(parent.page_size).or_else(|| self.arguments.longest_list(field));
            (items.unwrap_or(DEFAULT_PAGE_SIZE.into()), None)
        } else {
            (1, page_size)
        };
        let below = self.object(set, &Parent { ty: Some(&field_type.type_name), depth, page_size })?;
        let own = field_type.complexity.saturating_add(self.arguments.filter_complexity(field));
        Ok(below.saturating_mul(items).saturating_add(own))
    }

    /// The number of fields that introspection can return below one object.
    fn introspection_object(&self, set: &'a SelectionSet, parent: IntrospectionParent) -> Result<u64> {
        self.introspection_set(set, parent, &mut ResponseKeys::new())
    }

    fn introspection_set(
        &self,
        set: &'a SelectionSet,
        parent: IntrospectionParent,
        keys: &mut ResponseKeys<'a>,
    ) -> Result<u64> {
        let mut fields = 0_u64;
        for selection in &set.items {
            let added = match &selection.node {
                Selection::Field(field) => self.introspection_field(field, parent, keys)?,
                Selection::InlineFragment(fragment) => {
                    self.introspection_set(&fragment.node.selection_set.node, parent, keys)?
                }
                Selection::FragmentSpread(spread) => match self.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => self.introspection_set(&fragment.node.selection_set.node, parent, keys)?,
                    None => 0,
                },
            };
            fields = fields.saturating_add(added);
        }
        Ok(fields)
    }

    fn introspection_field(
        &self,
        field: &'a Positioned<Field>,
        parent: IntrospectionParent,
        keys: &mut ResponseKeys<'a>,
    ) -> Result<u64> {
        let name = field.node.name.node.as_str();
        let (wrappers, depth) =
            if name == "ofType" { (parent.wrappers + 1, (parent.depth - 1).max(1)) } else { (0, parent.depth) };
        self.check_field(field, depth + 1, keys)?;
        let lists_members = MEMBER_LISTS.contains(&name);
        if lists_members && parent.is_member {
            return Err(nested_member_list(name).with_location(Some((field.pos.line, field.pos.column))));
        }
        let is_member = lists_members || parent.is_member;
        let object = IntrospectionParent { depth: depth + 1, wrappers, is_member };
        let below = self.introspection_object(&field.node.selection_set.node, object)?;
        let below = if wrappers > MAX_WRAPPERS { 0 } else { below };
        Ok(below.saturating_mul(self.types.introspection_items(name)).saturating_add(1))
    }
}

fn nested_member_list(name: &str) -> Error {
    let message = format!(
        "`{name}` must not be nested in another list of members ({}): select the type by `__type(name: ..)`",
        MEMBER_LISTS.join(", ")
    );
    Error::new(ErrorCode::QueryTooComplex, message)
}
