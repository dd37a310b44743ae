//! Analyzes an operation before it is validated: its complexity, its root fields, and the limits on both.

use async_graphql::{
    Variables,
    parser::types::{ExecutableDocument, OperationDefinition},
};

use super::{
    complexity, limits,
    root_fields::{IdempotencyMode, RootFields},
    schema_types::SchemaTypes,
};
use crate::{config::DocumentLimits, error::Result};

/// The properties of an operation that decide whether and how it is executed.
#[derive(Clone, Copy, Debug)]
pub struct OperationAnalysis {
    pub complexity: u64,
    /// Whether the operation selects `__schema` or `__type`.
    pub introspects: bool,
    /// The number of root fields, with fragments expanded.
    pub root_fields: usize,
    pub idempotency_mode: IdempotencyMode,
}

/// Rejects documents and operations that exceed a limit. The size of the document comes first: it bounds the time that
/// everything else takes.
pub fn analyze(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    types: &SchemaTypes,
    limits: &DocumentLimits,
) -> Result<OperationAnalysis> {
    limits::check(document, limits)?;
    let root_fields = RootFields::collect(document, operation, limits)?;
    Ok(OperationAnalysis {
        complexity: complexity::compute(document, operation, variables, types, limits)?,
        introspects: root_fields.introspects(),
        root_fields: root_fields.count(),
        idempotency_mode: root_fields.idempotency_mode(),
    })
}
