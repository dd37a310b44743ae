//! What every resolver can reach: who asks, the loaders of this request, and what the writes stand on.

use async_graphql::Context;

use super::loaders::Loaders;
use crate::{
    auth::Principal,
    db::Db,
    services::{Client, Services},
};

/// One request's context.
#[derive(Debug)]
pub struct RequestContext {
    pub principal: Principal,
    pub client: Client,
    /// The database, with a meter of this request's own.
    pub db: Db,
    pub loaders: Loaders,
    pub services: Services,
}

impl RequestContext {
    /// Loaders are made here, so that they live as long as the request and see only what its caller asked for.
    #[must_use]
    pub fn new(principal: Principal, client: Client, db: Db, services: Services) -> Self {
        Self { principal, client, loaders: Loaders::new(&db), db, services }
    }
}

/// `ctx.request()` in resolvers.
pub(super) trait ContextExt<'a> {
    /// The request's context; it is put there before anything is executed.
    fn request(&self) -> &'a RequestContext;
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn request(&self) -> &'a RequestContext {
        self.data_unchecked::<RequestContext>()
    }
}
