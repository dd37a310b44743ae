//! Fields that return a connection, whatever the type of its nodes is: how they are registered, resolved, and read and
//! written on the fast path.

use async_graphql::{
    Context, ContextSelectionSet, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::Field,
    registry::{MetaInputValue, Registry},
};
use futures_util::future::BoxFuture;

use crate::{
    auth::Principal,
    error::Result,
    graphql::execution::{Json, RequestContext},
    model::UserId,
};

/// A field that returns a connection.
pub trait ListField: Sync {
    /// Registers the type of the field; returns its name.
    fn type_info(&self, registry: &mut Registry) -> String;

    /// Registers the types of the arguments; returns the arguments.
    fn arguments(&self, registry: &mut Registry) -> IndexMap<String, MetaInputValue>;

    /// Resolves the field: the rows of this user, or all rows.
    fn resolve<'a>(&self, ctx: &'a Context<'a>, of: Option<UserId>) -> BoxFuture<'a, ServerResult<Value>>;

    /// The plan of the field on the fast path; none if the ordinary path has to resolve the selection.
    fn plan<'a>(&self, scope: Scope<'a>, field: &'a Positioned<Field>) -> Option<Box<dyn PagePlan + 'a>>;
}

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub ctx: &'a ContextSelectionSet<'a>,
    pub principal: &'a Principal,
}

/// How the pages of a list field are read and written.
pub trait PagePlan: Send + Sync {
    /// Reads a page for each parent, and the pages and users below.
    fn load<'r, 'x>(
        &'r self,
        request: &'x RequestContext,
        parents: Vec<UserId>,
    ) -> BoxFuture<'x, Result<Box<dyn LoadedPages + 'r>>>
    where
        'r: 'x;
}

/// The pages of a list field: one for each parent.
pub trait LoadedPages: Send + Sync {
    /// Writes the page of the parent at this index.
    fn write(&self, json: &mut Json, parent: usize);
}
