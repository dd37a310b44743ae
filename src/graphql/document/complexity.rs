//! What an operation asks for: its cost, depth, aliases and root fields. It must not run before `limits` has bounded
//! the document, because it walks fragments wherever they are spread.
//!
//! # How the cost of a query is computed
//!
//! **The cost is the number of fields in the largest answer that the query can have.** Every field counts 1; what is
//! selected below a list counts once for each row that the list can have:
//!
//! - below a connection's `nodes` and `edges`, as many as `first` or `last` say, or 20 when neither is given;
//! - below any other list, as many as its `first`, or as the list in its arguments has items (`nodes(ids: [..])`),
//!   or 20.
//!
//! So `{ users(first: 100) { nodes { id username } } }` costs 1 for `users`, 1 for `nodes` and 100 × 2 below: 202.
//! Fragments count wherever they are spread, aliases each on their own, fields under `@skip` and `@include` as if they
//! were there, and fragments on several types all. Some fields cost more than 1 because of the work behind them:
//! `totalCount` 10; `auditLogStats` and whatever hashes a password 100; `overTime` 1,000. Texts that may be long cost more
//! than one field, too: `context` and `details` 4, `description` 2. An operator of a filter that no index serves costs
//! [`SCAN`]: `contains` and `startsWith` of texts, `contains` of JSON, and `search`. Introspection reads memory, not the
//! database: a tenth of it counts.
//!
//! Depth is how many fields lead to a field, itself included; `ofType` adds none, because a type has few wrappers
//! however often it is asked for. Introspection lists the members of a type once on each path: `fields`, `inputFields`,
//! `interfaces` and `possibleTypes` do not nest, which no client's own question does.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Value as Given, Variables,
    parser::types::{
        ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
        VariableDefinition,
    },
};
use async_graphql_value::Value;

use super::{
    limits::{IdempotencyMode, OperationSize, too_complex},
    schema_types::SchemaTypes,
};
use crate::{
    config::DocumentLimits,
    error::{Error, ErrorCode, Result},
    graphql::connection::{DEFAULT_LIMIT, MAX_LIMIT},
};

/// Fields that an operation may have once only: each guesses a password or a token, or makes one.
const ONCE: [&str; 4] = ["login", "refreshToken", "createApiToken", "changePassword"];
/// Of these, those that are done again when they are sent again: their answers hold secrets, and they are made for it.
const AGAIN: [&str; 2] = ["login", "refreshToken"];
/// The one that is neither done again nor has an answer that may be kept.
const NEVER_AGAIN: &str = "createApiToken";
/// So many values of introspection cost as much as one of the database.
const INTROSPECTION_DISCOUNT: u64 = 10;
/// What introspection lists of a type, with further types in it.
const MEMBERS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
/// What an operator costs for which the database looks at each row.
const SCAN: u64 = 100;
/// Those operators. Which of them an index serves in the end depends on the database and on `db search-index`.
const SCANNING: [&str; 3] = ["contains", "startsWith", "search"];
/// The wrappers that a type of ours has at most: `[T!]!`. Further ones are null.
const MAX_WRAPPERS: usize = 3;

/// Measures the operation, and refuses it when it asks for too much.
pub fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    shapes: &SchemaTypes,
    limits: &DocumentLimits,
) -> Result<OperationSize> {
    let root = SchemaTypes::root(operation.ty);
    let mut walk = Walk {
        fragments: &document.fragments,
        definitions: &operation.variable_definitions,
        variables,
        shapes,
        limits,
        mutation: operation.ty == OperationType::Mutation,
        root_fields: 0,
        once: HashMap::new(),
        introspects: false,
    };
    let cost = walk.object(&operation.selection_set.node, &Place { ty: Some(root), depth: 0, page: None })?;
    if cost > limits.cost {
        return Err(too_complex("is what this query costs", cost, limits.cost, "MAX_COST"));
    }
    let idempotency_mode = match &walk.once {
        once if once.contains_key(NEVER_AGAIN) => IdempotencyMode::Reject,
        once if AGAIN.iter().any(|name| once.contains_key(name)) => IdempotencyMode::Reexecute,
        _ => IdempotencyMode::Replay,
    };
    Ok(OperationSize {
        complexity: cost.max(1),
        introspects: walk.introspects,
        root_fields: walk.root_fields,
        idempotency_mode,
    })
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    definitions: &'a [Positioned<VariableDefinition>],
    variables: &'a Variables,
    shapes: &'a SchemaTypes,
    limits: &'a DocumentLimits,
    mutation: bool,
    root_fields: usize,
    once: HashMap<&'a str, usize>,
    introspects: bool,
}

/// Where a selection set stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The type it selects from; none when the schema does not know it, which validation will say.
    ty: Option<&'a str>,
    /// Fields that lead to it.
    depth: usize,
    /// The rows on a page, directly below a connection.
    page: Option<u64>,
}

/// Where a selection set of introspection stands.
#[derive(Clone, Copy)]
struct Introspected {
    /// Fields that lead to it, `ofType` not counted.
    depth: usize,
    /// How many `ofType` lead to it, one after the other.
    wrappers: usize,
    /// Whether a list of members leads to it.
    members: bool,
}

/// The names under which each field of one object is asked for.
type Keys<'a> = HashMap<&'a str, HashSet<&'a str>>;

impl<'a> Walk<'a> {
    /// The cost of everything selected from one object.
    fn object(&mut self, set: &'a SelectionSet, place: &Place<'a>) -> Result<u64> {
        self.fields(set, place, &mut Keys::new())
    }

    fn fields(&mut self, set: &'a SelectionSet, place: &Place<'a>, keys: &mut Keys<'a>) -> Result<u64> {
        let mut cost = 0_u64;
        for selection in &set.items {
            let more = match &selection.node {
                Selection::Field(field) => {
                    self.note(field, place, keys)?;
                    self.field(&field.node, place)?
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    let place = Place { ty: on.or(place.ty), ..*place };
                    self.fields(&fragment.node.selection_set.node, &place, keys)?
                }
                Selection::FragmentSpread(spread) => match self.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => {
                        let place = Place { ty: Some(&fragment.node.type_condition.node.on.node), ..*place };
                        self.fields(&fragment.node.selection_set.node, &place, keys)?
                    }
                    None => 0,
                },
            };
            cost = cost.saturating_add(more);
        }
        Ok(cost)
    }

    /// Counts what is counted per field, not per row.
    fn note(&mut self, field: &'a Positioned<Field>, place: &Place<'a>, keys: &mut Keys<'a>) -> Result<()> {
        let at = Some((field.pos.line, field.pos.column));
        let name = field.node.name.node.as_str();
        let depth = place.depth + 1;
        if depth > self.limits.depth {
            let error = too_complex("fields nest in each other, or more", depth, self.limits.depth, "MAX_DEPTH");
            return Err(error.with_location(at));
        }
        let keys = keys.entry(name).or_default();
        keys.insert(&field.node.response_key().node);
        if keys.len() > self.limits.aliases {
            let what = format!("names or more are given to {name} of one object");
            return Err(too_complex(&what, keys.len(), self.limits.aliases, "MAX_ALIASES").with_location(at));
        }
        if place.depth > 0 {
            return Ok(());
        }
        self.root_fields += 1;
        if self.root_fields > self.limits.root_fields {
            let (found, limit) = (self.root_fields, self.limits.root_fields);
            return Err(
                too_complex("fields or more are at the root", found, limit, "MAX_ROOT_FIELDS").with_location(at)
            );
        }
        if self.mutation && ONCE.contains(&name) {
            let times = self.once.entry(name).or_default();
            *times += 1;
            if *times > 1 {
                let message = format!("{name} may stand once in an operation, whatever its aliases and fragments");
                return Err(Error::new(ErrorCode::QueryTooComplex, message).with_location(at));
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Field, place: &Place<'a>) -> Result<u64> {
        let name = field.name.node.as_str();
        let below = &field.selection_set.node;
        let depth = place.depth + 1;
        if place.depth == 0 && matches!(name, "__schema" | "__type") {
            self.introspects = true;
            let place = Introspected { depth, wrappers: 0, members: false };
            let values = self.introspection(below, place)?.saturating_add(1);
            return Ok(values.div_ceil(INTROSPECTION_DISCOUNT));
        }
        let Some(shape) = place.ty.and_then(|ty| self.shapes.field(ty, name)) else {
            let below = self.object(below, &Place { ty: None, depth, page: None })?;
            return Ok(below.saturating_add(1));
        };
        let page = shape.paged.then(|| self.page(field));
        let rows = if shape.list {
            page.or(place.page).or_else(|| self.longest_list(field)).unwrap_or(DEFAULT_LIMIT.into())
        } else {
            1
        };
        let page = if shape.list { None } else { page };
        let below = self.object(below, &Place { ty: Some(&shape.of), depth, page })?;
        let own = shape.cost.saturating_add(self.scans(field));
        Ok(below.saturating_mul(rows).saturating_add(own))
    }

    /// The values that introspection can give below a field.
    fn introspection(&mut self, set: &'a SelectionSet, place: Introspected) -> Result<u64> {
        let mut keys = Keys::new();
        self.introspected(set, place, &mut keys)
    }

    fn introspected(&mut self, set: &'a SelectionSet, place: Introspected, keys: &mut Keys<'a>) -> Result<u64> {
        let mut values = 0_u64;
        for selection in &set.items {
            let more = match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let (wrappers, depth) = if name == "ofType" {
                        (place.wrappers + 1, (place.depth - 1).max(1))
                    } else {
                        (0, place.depth)
                    };
                    self.note(field, &Place { ty: None, depth, page: None }, keys)?;
                    let lists_members = MEMBERS.contains(&name);
                    if lists_members && place.members {
                        return Err(nested_members(name).with_location(Some((field.pos.line, field.pos.column))));
                    }
                    let members = lists_members || place.members;
                    let below = Introspected { depth: depth + 1, wrappers, members };
                    let below = self.introspection(&field.node.selection_set.node, below)?;
                    let below = if wrappers > MAX_WRAPPERS { 0 } else { below };
                    below.saturating_mul(self.shapes.introspected(name)).saturating_add(1)
                }
                Selection::InlineFragment(fragment) => {
                    self.introspected(&fragment.node.selection_set.node, place, keys)?
                }
                Selection::FragmentSpread(spread) => match self.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => self.introspected(&fragment.node.selection_set.node, place, keys)?,
                    None => 0,
                },
            };
            values = values.saturating_add(more);
        }
        Ok(values)
    }

    /// What the operators of a filter cost for which the database looks at each row.
    fn scans(&self, field: &Field) -> u64 {
        match field.get_argument("filter").map(|filter| &filter.node) {
            Some(Value::Variable(variable)) => self.variable(variable).map_or(0, given_scans),
            Some(literal) => self.literal_scans(literal),
            None => 0,
        }
    }

    /// The recursion is as deep as the brackets of the document, which were counted before it was parsed.
    fn literal_scans(&self, value: &Value) -> u64 {
        match value {
            Value::Object(fields) => {
                let cost = |(name, value)| if is_scanning(name) { SCAN } else { self.literal_scans(value) };
                fields.iter().map(cost).sum()
            }
            Value::List(items) => items.iter().map(|item| self.literal_scans(item)).sum(),
            Value::Variable(variable) => self.variable(variable).map_or(0, given_scans),
            _ => 0,
        }
    }

    /// The rows that `first` or `last` ask for. What is no number, or none that is allowed, is refused later; until
    /// then it counts as the most.
    fn page(&self, field: &Field) -> u64 {
        let sizes = ["first", "last"].into_iter().filter_map(|name| {
            let size = match &field.get_argument(name)?.node {
                Value::Null => return None,
                Value::Number(size) => size.as_u64(),
                Value::Variable(variable) => match self.variable(variable)? {
                    Given::Number(size) => size.as_u64(),
                    _ => None,
                },
                _ => None,
            };
            Some(size.unwrap_or(MAX_LIMIT.into()).clamp(1, MAX_LIMIT.into()))
        });
        sizes.max().unwrap_or(DEFAULT_LIMIT.into())
    }

    /// How many items the longest list among the arguments has.
    fn longest_list(&self, field: &Field) -> Option<u64> {
        let lengths = field.arguments.iter().filter_map(|(_, value)| match &value.node {
            Value::List(items) => Some(items.len()),
            Value::Variable(variable) => match self.variable(variable)? {
                Given::List(items) => Some(items.len()),
                _ => None,
            },
            _ => None,
        });
        lengths.max().map(|length| length as u64)
    }

    /// The value of a variable, given or by default; none when it is null or missing.
    fn variable(&self, name: &Name) -> Option<&Given> {
        let given = self.variables.get(name);
        let definition = || self.definitions.iter().find(|definition| definition.node.name.node == *name);
        let value = given.or_else(|| definition()?.node.default_value.as_ref().map(|value| &value.node))?;
        (*value != Given::Null).then_some(value)
    }
}

fn nested_members(name: &str) -> Error {
    let message = format!(
        "`{name}` stands below another list of a type's members ({}), for which the limit is 1: ask for one type by \
         `__type(name: ..)`",
        MEMBERS.join(", ")
    );
    Error::new(ErrorCode::QueryTooComplex, message)
}

fn is_scanning(operator: &Name) -> bool {
    SCANNING.contains(&operator.as_str())
}

/// What the scanning operators in the value of a variable cost. The recursion is as deep as the variables, which were
/// bounded when they were read.
fn given_scans(value: &Given) -> u64 {
    match value {
        Given::Object(fields) => {
            fields.iter().map(|(name, value)| if is_scanning(name) { SCAN } else { given_scans(value) }).sum()
        }
        Given::List(items) => items.iter().map(given_scans).sum(),
        _ => 0,
    }
}
