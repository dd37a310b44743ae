//! The context of a request: its principal, database handle, loaders and services.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, PathSegment, ServerError};

use crate::{
    auth::{Authenticated, Principal, RateLimitStatus},
    db::Db,
    error::{Error, Result},
    graphql::loaders::Loaders,
    services::{Actor, Client, Services, access_denials},
};

/// The context of a request, which every resolver can access.
#[derive(Debug)]
pub struct RequestContext {
    /// The principal of the request's credentials.
    principal: Principal,
    /// The user that a login in this request authenticated.
    logged_in: OnceLock<Principal>,
    charged: Option<RateLimitStatus>,
    /// Whether lists of the document may take the fast path.
    pub(in crate::graphql) fast_path_eligible: bool,
    pub client: Client,
    /// The database handle with the meter of this request.
    pub db: Db,
    pub loaders: Loaders,
    pub services: Arc<Services>,
}

impl RequestContext {
    /// Creates the context and the loaders, which live as long as the request.
    #[must_use]
    pub fn new(principal: Principal, client: Client, db: Db, services: Arc<Services>) -> Self {
        Self {
            principal,
            logged_in: OnceLock::new(),
            charged: None,
            fast_path_eligible: false,
            client,
            loaders: Loaders::new(&db),
            db,
            services,
        }
    }

    /// The principal: of the request's credentials, or of a login in this request.
    pub fn principal(&self) -> &Principal {
        self.logged_in.get().unwrap_or(&self.principal)
    }

    /// Charges the complexity of the operation to the rate limit of the principal.
    pub(in crate::graphql) fn charge_complexity(&mut self, complexity: u64) -> Result<()> {
        let address = self.client.ip_address.as_deref();
        self.charged = Some(self.services.cost_limiter.charge(&self.principal, address, complexity)?);
        Ok(())
    }

    /// Charges mutations to the rate limit of the principal. `login` and `refreshToken` of anonymous principals count themselves.
    pub(in crate::graphql) fn charge_writes(&self, mutations: usize) -> Result<()> {
        let principal = self.principal.authenticated();
        principal.map_or(Ok(()), |principal| self.services.write_limiter.charge(principal, mutations))
    }

    /// The charge for the complexity, once it was made.
    pub(in crate::graphql) fn charged(&self) -> Option<RateLimitStatus> {
        self.charged
    }

    /// Records the first denied access among the errors in the audit log. A failure to do so is only logged.
    pub(in crate::graphql) async fn record_access_denial(&self, errors: &[ServerError]) {
        for error in errors {
            let Some(denial) = error.source::<Error>() else { continue };
            if !self.services.access_denials.take(self.principal(), &self.client, denial) {
                continue;
            }
            let segments = error.path.iter().map(|segment| match segment {
                PathSegment::Field(name) => name.clone(),
                PathSegment::Index(index) => index.to_string(),
            });
            let path = segments.collect::<Vec<_>>().join(".");
            let path = Some(path).filter(|path| !path.is_empty());
            let done = access_denials::record(
                &self.services.db,
                self.services.clock.now(),
                self.principal(),
                &self.client,
                denial,
                path,
            )
            .await;
            if let Err(cause) = done {
                tracing::error!(error = cause.chain(), "a denied access could not be recorded");
            }
            break;
        }
    }

    /// Makes this user the principal of the rest of the request, so that the payload of a login contains the user's data.
    pub(in crate::graphql) fn log_in(&self, authenticated: Authenticated) {
        // The first login of an operation decides.
        let _ = self.logged_in.set(Principal::Authenticated(Arc::new(authenticated)));
    }

    /// The authenticated principal as the actor of a write. Does not check any access rule.
    pub(in crate::graphql) fn actor(&self) -> Result<Actor<'_>> {
        let principal = self.principal().require()?;
        Ok(Actor { services: &self.services, db: &self.db, principal, client: &self.client })
    }
}

/// `ctx.request()` in resolvers.
pub(in crate::graphql) trait ContextExt<'a> {
    /// The context of the request, which is set before execution.
    fn request(&self) -> &'a RequestContext;
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn request(&self) -> &'a RequestContext {
        self.data_unchecked::<Arc<RequestContext>>()
    }
}
