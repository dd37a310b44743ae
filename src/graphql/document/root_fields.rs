//! The root fields of an operation: their number, and the rules for mutations that authenticate or create a secret.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{
        ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
    },
};

use super::limit_error::more_than;
use crate::{
    config::DocumentLimits,
    error::{Error, ErrorCode, Result},
};

/// Mutations that are allowed once per operation: each checks a password or token, or creates one.
const SINGLE: [&str; 4] = ["login", "refreshToken", "createApiToken", "changePassword"];
/// Mutations whose responses contain secrets, and which may be executed again.
const REEXECUTED: [&str; 2] = ["login", "refreshToken"];
/// The mutation whose response contains a secret, and which must not be executed again.
const REJECTED: &str = "createApiToken";

/// How a second request with the same `Idempotency-Key` is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyMode {
    /// With the stored response of the first request.
    Replay,
    /// By executing the operation again: its response contains secrets, which are never stored.
    Reexecute,
    /// Neither is possible: a request with a key is rejected, even the first.
    Reject,
}

/// The names of the root fields in document order, with fragments expanded.
pub struct RootFields<'a> {
    names: Vec<&'a str>,
    is_mutation: bool,
}

impl<'a> RootFields<'a> {
    /// Collects the root fields, within their limit. The document's size must have been checked.
    pub fn collect(
        document: &'a ExecutableDocument,
        operation: &'a OperationDefinition,
        limits: &DocumentLimits,
    ) -> Result<Self> {
        let mut fields = Self { names: Vec::new(), is_mutation: operation.ty == OperationType::Mutation };
        fields.add(&operation.selection_set.node, &document.fragments, limits)?;
        Ok(fields)
    }

    fn add(
        &mut self,
        set: &'a SelectionSet,
        fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
        limits: &DocumentLimits,
    ) -> Result<()> {
        for selection in &set.items {
            let set = match &selection.node {
                Selection::Field(field) => {
                    let location = Some((field.pos.line, field.pos.column));
                    let name = field.node.name.node.as_str();
                    if self.names.len() == limits.root_fields {
                        return Err(
                            more_than(limits.root_fields, "root fields", "MAX_ROOT_FIELDS").with_location(location)
                        );
                    }
                    if self.is_mutation && SINGLE.contains(&name) && self.names.contains(&name) {
                        let message = format!("`{name}` is allowed only once per operation");
                        return Err(Error::new(ErrorCode::QueryTooComplex, message).with_location(location));
                    }
                    self.names.push(name);
                    continue;
                }
                Selection::InlineFragment(fragment) => &fragment.node.selection_set.node,
                Selection::FragmentSpread(spread) => match fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => &fragment.node.selection_set.node,
                    None => continue,
                },
            };
            self.add(set, fragments, limits)?;
        }
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.names.len()
    }

    pub fn introspects(&self) -> bool {
        self.names.iter().any(|name| is_introspection(name))
    }

    pub fn idempotency_mode(&self) -> IdempotencyMode {
        if self.is_mutation && self.names.contains(&REJECTED) {
            IdempotencyMode::Reject
        } else if self.is_mutation && REEXECUTED.iter().any(|name| self.names.contains(name)) {
            IdempotencyMode::Reexecute
        } else {
            IdempotencyMode::Replay
        }
    }
}

/// Returns true for the root fields of introspection, except `__typename`.
pub fn is_introspection(root_field: &str) -> bool {
    matches!(root_field, "__schema" | "__type")
}
