//! How large a document may be: checked after it is parsed, before it is validated, authenticated or executed.
//! What follows is bounded by it: validation walks fragments wherever they are spread, and so does `complexity`.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{Directive, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, SelectionSet},
};

use super::{complexity, schema_types::SchemaTypes};
use crate::{
    config::DocumentLimits,
    error::{Error, ErrorCode, Result},
};

/// What was found out about the chosen operation.
#[derive(Clone, Copy, Debug)]
pub struct OperationSize {
    pub complexity: u64,
    /// Whether it asks for the schema itself.
    pub introspects: bool,
    /// How many fields are at the root.
    pub root_fields: usize,
    pub idempotency_mode: IdempotencyMode,
}

/// How a second request with the same `Idempotency-Key` is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyMode {
    /// With the stored response of the first.
    Replay,
    /// By executing the operation again: its response contains secrets, which are never stored.
    Reexecute,
    /// The operation is rejected already at its first request with a key.
    Reject,
}

/// Refuses a document that is too large, and an operation that asks for too much.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    shapes: &SchemaTypes,
    limits: &DocumentLimits,
) -> Result<OperationSize> {
    check_size(document, limits)?;
    complexity::measure(document, operation, variables, shapes, limits)
}

/// The error of a limit: what was counted, how many, how many may be, and the setting that says so.
pub fn too_complex(what: &str, found: impl std::fmt::Display, limit: impl std::fmt::Display, setting: &str) -> Error {
    Error::new(ErrorCode::QueryTooComplex, format!("{found} {what}: the limit is {limit} (GUARDIANEYE_{setting})"))
}

/// How deep selection sets may nest when fields nest `depth` deep: each may come in a fragment.
fn max_height(depth: usize) -> usize {
    2 * depth + 2
}

/// A selection set as it is written, its fragments not put in.
#[derive(Default)]
struct Written<'a> {
    /// Fields, spreads and inline fragments.
    selections: u64,
    /// Nested selection sets.
    height: usize,
    /// The fragments spread in it, each with how deep.
    spreads: Vec<(&'a Positioned<Name>, usize)>,
}

/// A selection set with its fragments put in.
#[derive(Clone, Copy, Default)]
struct Expanded {
    selections: u64,
    height: usize,
}

/// Each fragment is measured once, whatever spreads it, so this takes time in proportion to the text.
fn check_size(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<()> {
    let mut written = HashMap::new();
    for (name, fragment) in &document.fragments {
        check_directives(&fragment.node.directives, limits)?;
        written.insert(name.as_str(), Written::of(&fragment.node.selection_set.node, limits)?);
    }
    let mut operations = Vec::new();
    for (_, operation) in document.operations.iter() {
        check_directives(&operation.node.directives, limits)?;
        for variable in &operation.node.variable_definitions {
            check_directives(&variable.node.directives, limits)?;
        }
        operations.push(Written::of(&operation.node.selection_set.node, limits)?);
    }
    let fragments = expand(&document.fragments, &written)?;
    let mut total = Expanded::default();
    for operation in &operations {
        total.add(operation.expanded(&fragments));
    }
    // Validation also walks fragments that nothing spreads, before it refuses them.
    let spreads = written.values().chain(&operations).flat_map(|written| &written.spreads);
    let spread: HashSet<_> = spreads.map(|(name, _)| name.node.as_str()).collect();
    for (_, expanded) in fragments.iter().filter(|(name, _)| !spread.contains(*name)) {
        total.add(*expanded);
    }
    if total.selections > limits.selections {
        return Err(too_complex(
            "fields and fragments are in the document, counted wherever fragments are spread",
            total.selections,
            limits.selections,
            "MAX_SELECTIONS",
        ));
    }
    let max_height = max_height(limits.depth);
    if total.height > max_height {
        let what = "selections nest, each fragment counted as one more, for which the limit is twice the depth and 2";
        return Err(too_complex(what, total.height, max_height, "MAX_DEPTH"));
    }
    Ok(())
}

impl<'a> Written<'a> {
    /// The recursion is as deep as the brackets of the document, which were counted before it was parsed.
    fn of(set: &'a SelectionSet, limits: &DocumentLimits) -> Result<Self> {
        let mut written = Self::default();
        written.add(set, 1, limits)?;
        Ok(written)
    }

    fn add(&mut self, set: &'a SelectionSet, level: usize, limits: &DocumentLimits) -> Result<()> {
        self.height = self.height.max(level);
        let mut times = HashMap::<_, usize>::new();
        for selection in &set.items {
            self.selections += 1;
            check_directives(selection.node.directives(), limits)?;
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let times = times.entry(name).or_default();
                    *times += 1;
                    if *times > limits.aliases {
                        return Err(too_complex(
                            &format!("times or more {name} is written in one selection"),
                            *times,
                            limits.aliases,
                            "MAX_ALIASES",
                        )
                        .with_location(Some((field.pos.line, field.pos.column))));
                    }
                    if !field.node.selection_set.node.items.is_empty() {
                        self.add(&field.node.selection_set.node, level + 1, limits)?;
                    }
                }
                Selection::InlineFragment(fragment) => {
                    self.add(&fragment.node.selection_set.node, level + 1, limits)?;
                }
                Selection::FragmentSpread(spread) => self.spreads.push((&spread.node.fragment_name, level)),
            }
        }
        Ok(())
    }

    fn expanded(&self, fragments: &HashMap<&'a str, Expanded>) -> Expanded {
        let mut expanded = Expanded { selections: self.selections, height: self.height };
        for (name, level) in &self.spreads {
            // A fragment that is not there is left to validation.
            let fragment = fragments.get(name.node.as_str()).copied().unwrap_or_default();
            expanded.add(Expanded { height: level + fragment.height, ..fragment });
        }
        expanded
    }
}

impl Expanded {
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.height = self.height.max(other.height);
    }
}

/// Measures every fragment after those that it spreads, by a walk with a stack of its own. A fragment that spreads
/// itself, by whatever detour, is refused here: validation would follow it until the stack ends.
fn expand<'a>(
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    written: &HashMap<&'a str, Written<'a>>,
) -> Result<HashMap<&'a str, Expanded>> {
    let mut done: HashMap<&str, Expanded> = HashMap::new();
    for root in fragments.keys().filter(|name| written.contains_key(name.as_str())) {
        let mut path = if done.contains_key(root.as_str()) { vec![] } else { vec![(root.as_str(), 0_usize)] };
        let mut on_path: HashSet<&str> = path.iter().map(|(name, _)| *name).collect();
        while let Some((name, next)) = path.last_mut() {
            let Some(body) = written.get(*name) else { break };
            let Some((spread, _)) = body.spreads.get(*next) else {
                done.insert(*name, body.expanded(&done));
                on_path.remove(*name);
                path.pop();
                continue;
            };
            *next += 1;
            let target = spread.node.as_str();
            if done.contains_key(target) || !written.contains_key(target) {
                continue;
            }
            if !on_path.insert(target) {
                let message = format!("the fragment {target:?} spreads itself");
                let location = Some((spread.pos.line, spread.pos.column));
                return Err(Error::new(ErrorCode::GraphqlValidationFailed, message).with_location(location));
            }
            path.push((target, 0));
        }
    }
    Ok(done)
}

fn check_directives(directives: &[Positioned<Directive>], limits: &DocumentLimits) -> Result<()> {
    match directives.get(limits.directives) {
        None => Ok(()),
        Some(first_over) => {
            Err(too_complex("directives are at one place", directives.len(), limits.directives, "MAX_DIRECTIVES")
                .with_location(Some((first_over.pos.line, first_over.pos.column))))
        }
    }
}
