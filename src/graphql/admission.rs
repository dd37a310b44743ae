//! Whether a caller may run an operation at all, before it is validated: the minute's budget, the rate limit of mutations,
//! and who may ask for the schema itself. It must not ask the database.

use std::collections::HashSet;

use async_graphql::ServerError;

use super::{document::Document, execution::RequestContext};
use crate::{
    config::Introspection,
    error::{Error, ErrorCode, Result},
};

/// Errors of one document that are told; a document can be made to have tens of thousands.
const MAX_ERRORS: usize = 20;

/// Takes the cost from the caller's budget, counts mutations, and refuses introspection to whom it is not open.
pub fn admit(document: &Document, context: &mut RequestContext) -> Result<()> {
    context.charge(document.complexity())?;
    if !document.is_query() {
        context.charge_writes(document.root_fields())?;
    }
    if document.introspects() { check_introspection(context) } else { Ok(()) }
}

/// Who may ask for the schema itself.
pub fn check_introspection(context: &RequestContext) -> Result<()> {
    match context.services.limits.document.introspection {
        Introspection::Public => Ok(()),
        Introspection::SignedIn => context.principal().require().map(drop),
        Introspection::Off => Err(Error::new(ErrorCode::Forbidden, "introspection is turned off on this server")),
    }
}

/// What validation says names types, fields and arguments of the schema, also those that were not asked for. To callers
/// who may not ask for the schema it says only where the document does not fit. What was found several times at one place,
/// such as in a fragment that is spread several times, is told once.
pub fn redact_validation_errors(errors: &mut Vec<ServerError>, may_introspect: bool) {
    let mut told = HashSet::new();
    errors.retain_mut(|error| {
        if !may_introspect {
            "the document does not fit the schema here; callers who may ask for the schema are told why"
                .clone_into(&mut error.message);
        }
        let at: Vec<_> = error.locations.iter().map(|at| (at.line, at.column)).collect();
        told.len() < MAX_ERRORS && told.insert((error.message.clone(), at))
    });
}
