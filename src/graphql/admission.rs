//! Admission of an operation before it is validated: rate limits and access to introspection. Makes no database access.

use std::collections::HashSet;

use async_graphql::ServerError;

use super::{document::Document, execution::RequestContext};
use crate::{
    config::Introspection,
    error::{Error, ErrorCode, Result},
};

/// The most validation errors in a response: a document can cause tens of thousands.
const MAX_ERRORS: usize = 20;

/// Charges the operation to the rate limits of its principal, and rejects introspection that the principal may not use.
pub fn admit(document: &Document, context: &mut RequestContext) -> Result<()> {
    tracing::trace!(target: "request_path", "admit");
    context.charge_complexity(document.complexity())?;
    if !document.is_query() {
        context.charge_writes(document.root_fields())?;
    }
    if document.introspects() { check_introspection(context) } else { Ok(()) }
}

fn check_introspection(context: &RequestContext) -> Result<()> {
    match context.services.limits.document.introspection {
        Introspection::Public => Ok(()),
        Introspection::SignedIn => context.principal().require().map(drop),
        Introspection::Off => Err(Error::new(ErrorCode::Forbidden, "introspection is disabled on this server")),
    }
}

/// Replaces validation messages for principals without access to introspection, because the messages name types, fields and
/// arguments of the schema. The locations remain. Also removes duplicates, such as errors in a fragment that is spread twice,
/// and limits the number of errors.
pub fn redact_validation_errors(errors: &mut Vec<ServerError>, context: &RequestContext) {
    let redacted = check_introspection(context).err().map(|error| match error.code() {
        ErrorCode::Unauthenticated => "validation failed (sign in for details)",
        _ => "validation failed (no details, because introspection is disabled on this server)",
    });
    let mut seen = HashSet::new();
    errors.retain_mut(|error| {
        if let Some(message) = redacted {
            message.clone_into(&mut error.message);
        }
        let locations: Vec<_> = error.locations.iter().map(|at| (at.line, at.column)).collect();
        seen.len() < MAX_ERRORS && seen.insert((error.message.clone(), locations))
    });
}
