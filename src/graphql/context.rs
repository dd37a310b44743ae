//! What every resolver can reach: who asks, the loaders of this request, and what the writes stand on.

use std::sync::{Arc, OnceLock};

use async_graphql::Context;

use super::loaders::Loaders;
use crate::{
    auth::Principal,
    db::Db,
    model::User,
    services::{Client, Services},
};

/// One request's context.
#[derive(Debug)]
pub struct RequestContext {
    sent_by: Principal,
    logged_in: OnceLock<Principal>,
    pub client: Client,
    /// The database, with a meter of this request's own.
    pub db: Db,
    pub loaders: Loaders,
    pub services: Services,
}

impl RequestContext {
    /// Loaders are made here, so that they live as long as the request and see only what its caller asked for.
    #[must_use]
    pub fn new(sent_by: Principal, client: Client, db: Db, services: Services) -> Self {
        Self { sent_by, logged_in: OnceLock::new(), client, loaders: Loaders::new(&db), db, services }
    }

    /// Who asks: whoever sent the request, or logged in by it.
    pub fn principal(&self) -> &Principal {
        self.logged_in.get().unwrap_or(&self.sent_by)
    }

    /// From here on the request reads as this user, so that a login can show what its user may see.
    pub(super) fn log_in(&self, user: Arc<User>) {
        // A second login in one operation does not change who reads.
        let _ = self.logged_in.set(Principal::User(user));
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
