//! What every resolver can reach: who asks, the loaders of this request, and what the writes stand on.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, PathSegment, ServerError};

use crate::{
    auth::{Authenticated, Principal, RateLimitStatus},
    db::Db,
    error::{Error, Result},
    graphql::loaders::Loaders,
    services::{Actor, Client, Services, access_denials},
};

/// One request's context.
#[derive(Debug)]
pub struct RequestContext {
    sent_by: Principal,
    logged_in: OnceLock<Principal>,
    charged: Option<RateLimitStatus>,
    /// Whether the document is [plain](crate::graphql::document::Source::plain).
    pub(in crate::graphql) plain: bool,
    pub client: Client,
    /// The database, with a meter of this request's own.
    pub db: Db,
    pub loaders: Loaders,
    pub services: Arc<Services>,
}

impl RequestContext {
    /// Loaders are made here, so that they live as long as the request and see only what its caller asked for.
    #[must_use]
    pub fn new(sent_by: Principal, client: Client, db: Db, services: Arc<Services>) -> Self {
        Self {
            sent_by,
            logged_in: OnceLock::new(),
            charged: None,
            plain: false,
            client,
            loaders: Loaders::new(&db),
            db,
            services,
        }
    }

    /// Who asks: whoever sent the request, or logged in by it.
    pub fn principal(&self) -> &Principal {
        self.logged_in.get().unwrap_or(&self.sent_by)
    }

    /// A text for the answer, unless the answer would be too large with it.
    pub(in crate::graphql) fn answer<'a, T: AsRef<str> + ?Sized>(&self, text: Option<&'a T>) -> Result<Option<&'a T>> {
        self.db.meter().answer(text.map_or(0, |text| text.as_ref().len()))?;
        Ok(text)
    }

    /// Takes what the operation costs from the budget of whoever sent it.
    pub(in crate::graphql) fn charge(&mut self, cost: u64) -> Result<()> {
        let address = self.client.ip_address.as_deref();
        self.charged = Some(self.services.cost_limiter.charge(&self.sent_by, address, cost)?);
        Ok(())
    }

    /// Counts the mutations of an operation against the limit of the principal that sent it. `login` and `refreshToken`, where
    /// nobody is signed in yet, count themselves.
    pub(in crate::graphql) fn charge_writes(&self, mutations: usize) -> Result<()> {
        let principal = self.sent_by.authenticated();
        principal.map_or(Ok(()), |principal| self.services.write_limiter.charge(principal, mutations))
    }

    /// What was taken, once it was.
    pub(in crate::graphql) fn charged(&self) -> Option<RateLimitStatus> {
        self.charged
    }

    /// Records the first refusal among the errors; what is wrong with that itself only the log is told.
    pub(in crate::graphql) async fn note_refusals(&self, errors: &[ServerError]) {
        for error in errors {
            let Some(refusal) = error.source::<Error>() else { continue };
            if !self.services.access_denials.take(self.principal(), &self.client, refusal) {
                continue;
            }
            let segments = error.path.iter().map(|segment| match segment {
                PathSegment::Field(name) => name.clone(),
                PathSegment::Index(index) => index.to_string(),
            });
            let path = segments.collect::<Vec<_>>().join(".");
            let path = Some(path).filter(|path| !path.is_empty());
            let done = access_denials::record(&self.services, self.principal(), &self.client, refusal, path).await;
            if let Err(cause) = done {
                tracing::error!(error = cause.chain(), "a refusal could not be recorded");
            }
            break;
        }
    }

    /// From here on the request reads as this user, so that a login can show what its user may see.
    pub(in crate::graphql) fn log_in(&self, authenticated: Authenticated) {
        // A second login in one operation does not change who reads.
        let _ = self.logged_in.set(Principal::Authenticated(Arc::new(authenticated)));
    }

    /// Whoever is signed in, as the one who does something; what they may do is not asked here.
    pub(in crate::graphql) fn actor(&self) -> Result<Actor<'_>> {
        let principal = self.principal().require()?;
        Ok(Actor { services: &self.services, db: &self.db, principal, client: &self.client })
    }
}

/// `ctx.request()` in resolvers.
pub(in crate::graphql) trait ContextExt<'a> {
    /// The request's context; it is put there before anything is executed.
    fn request(&self) -> &'a RequestContext;
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn request(&self) -> &'a RequestContext {
        self.data_unchecked::<Arc<RequestContext>>()
    }
}
