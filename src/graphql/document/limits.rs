//! The size limits of a document, checked after it is parsed and before anything else looks at it. They bound the time of all
//! further steps: validation and complexity visit fragments wherever they are spread.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{Directive, ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};

use super::limit_error::{limit_exceeded, more_than};
use crate::{
    config::DocumentLimits,
    error::{Error, ErrorCode, Result},
};

/// The size of a selection set without the fragments that it spreads.
#[derive(Default)]
struct OwnSize<'a> {
    /// Fields, fragment spreads and inline fragments.
    selections: u64,
    /// The depth of nested selection sets.
    height: usize,
    /// The fragment spreads, each with the depth of its selection set.
    spreads: Vec<(&'a Positioned<Name>, usize)>,
}

/// The size of a selection set with all fragments expanded.
#[derive(Clone, Copy, Default)]
struct ExpandedSize {
    selections: u64,
    height: usize,
}

/// Rejects a document that exceeds a size limit. Each fragment is measured once, so the time is linear in the document's length.
pub fn check(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<()> {
    let mut own_sizes = HashMap::new();
    for (name, fragment) in &document.fragments {
        check_directives(&fragment.node.directives, limits)?;
        own_sizes.insert(name.as_str(), OwnSize::of(&fragment.node.selection_set.node, limits)?);
    }
    let mut operations = Vec::new();
    for (_, operation) in document.operations.iter() {
        check_directives(&operation.node.directives, limits)?;
        for variable in &operation.node.variable_definitions {
            check_directives(&variable.node.directives, limits)?;
        }
        operations.push(OwnSize::of(&operation.node.selection_set.node, limits)?);
    }
    let fragments = expand(&document.fragments, &own_sizes)?;
    let mut total = ExpandedSize::default();
    for operation in &operations {
        total.add(operation.expanded(&fragments));
    }
    // Validation also visits unused fragments before it rejects them.
    let spreads = own_sizes.values().chain(&operations).flat_map(|own_size| &own_size.spreads);
    let spread: HashSet<_> = spreads.map(|(name, _)| name.node.as_str()).collect();
    for (_, expanded) in fragments.iter().filter(|(name, _)| !spread.contains(*name)) {
        total.add(*expanded);
    }
    if total.selections > limits.selections {
        let counted = format_args!("selection count {}, fragments expanded,", total.selections);
        return Err(limit_exceeded(counted, limits.selections, "MAX_SELECTIONS"));
    }
    // Every field may be in a fragment of its own, which has a selection set too.
    let max_height = 2 * limits.depth + 2;
    if total.height > max_height {
        let counted = format_args!("selection set depth {}, fragments counted,", total.height);
        return Err(limit_exceeded(counted, max_height, "MAX_DEPTH x 2 + 2"));
    }
    Ok(())
}

impl<'a> OwnSize<'a> {
    fn of(set: &'a SelectionSet, limits: &DocumentLimits) -> Result<Self> {
        let mut size = Self::default();
        size.add(set, 1, limits)?;
        Ok(size)
    }

    /// Recursion is bounded: the nesting of brackets was limited before the document was parsed.
    fn add(&mut self, set: &'a SelectionSet, level: usize, limits: &DocumentLimits) -> Result<()> {
        self.height = self.height.max(level);
        let mut counts = HashMap::<_, usize>::new();
        for selection in &set.items {
            self.selections += 1;
            check_directives(selection.node.directives(), limits)?;
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let count = counts.entry(name).or_default();
                    *count += 1;
                    if *count > limits.aliases {
                        let counted = format_args!("selections of `{name}` in one selection set");
                        let location = Some((field.pos.line, field.pos.column));
                        return Err(more_than(limits.aliases, counted, "MAX_ALIASES").with_location(location));
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

    fn expanded(&self, fragments: &HashMap<&'a str, ExpandedSize>) -> ExpandedSize {
        let mut expanded = ExpandedSize { selections: self.selections, height: self.height };
        for (name, level) in &self.spreads {
            // Validation reports unknown fragments.
            let fragment = fragments.get(name.node.as_str()).copied().unwrap_or_default();
            expanded.add(ExpandedSize { height: level + fragment.height, ..fragment });
        }
        expanded
    }
}

impl ExpandedSize {
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.height = self.height.max(other.height);
    }
}

/// Computes the size of every fragment after the sizes of those that it spreads: a depth-first search with an explicit stack.
/// Rejects a fragment that spreads itself, directly or through others; validation would overflow the stack.
fn expand<'a>(
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    own_sizes: &HashMap<&'a str, OwnSize<'a>>,
) -> Result<HashMap<&'a str, ExpandedSize>> {
    let mut done: HashMap<&str, ExpandedSize> = HashMap::new();
    for root in fragments.keys().filter(|name| own_sizes.contains_key(name.as_str())) {
        let mut path = if done.contains_key(root.as_str()) { vec![] } else { vec![(root.as_str(), 0_usize)] };
        let mut on_path: HashSet<&str> = path.iter().map(|(name, _)| *name).collect();
        while let Some((name, next)) = path.last_mut() {
            let Some(own_size) = own_sizes.get(*name) else { break };
            let Some((spread, _)) = own_size.spreads.get(*next) else {
                done.insert(*name, own_size.expanded(&done));
                on_path.remove(*name);
                path.pop();
                continue;
            };
            *next += 1;
            let target = spread.node.as_str();
            if done.contains_key(target) || !own_sizes.contains_key(target) {
                continue;
            }
            if !on_path.insert(target) {
                let message = format!("the fragment `{target}` spreads itself");
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
            let counted = format_args!("directive count {} at one location", directives.len());
            let location = Some((first_over.pos.line, first_over.pos.column));
            Err(limit_exceeded(counted, limits.directives, "MAX_DIRECTIVES").with_location(location))
        }
    }
}
