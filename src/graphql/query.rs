//! `Query`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::{future::try_join_all, try_join};

use super::{
    access::{ANALYST, AUTHENTICATED, AccessMatrixEntry, AccessRules, Requires},
    connection::ConnectionField,
    execution::{ContextExt, RequestContext},
    field::{DefinedFields, Field, FieldDefinitions},
    inputs::{AuditLogFilter, SizeLimit},
    loaders::OwnedId,
    nullable::{Nullable, nullable},
    scalars::uuid,
    types::{AuditLogStats, Node, RateLimit, Visible},
};
use crate::{
    db::users,
    error::{Error, Result},
    model::{AnyId, AuditLog, Role, Session, User},
};

/// The query root.
#[derive(Debug)]
pub struct Query;

/// The query root.
#[Object]
impl Query {
    /// The user of the request.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn me(&self, ctx: &Context<'_>) -> Option<Arc<User>> {
        ctx.request().principal().user().cloned()
    }

    /// The rate limit of the principal.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn rate_limit(&self, ctx: &Context<'_>) -> Option<RateLimit> {
        ctx.request().charged().map(RateLimit::from)
    }

    /// The object with this id; null if there is none, or if the principal may not see it.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id, a UUID.")] id: ID) -> Nullable<Node> {
        nullable(async { node(ctx.request(), AnyId(uuid("id", &id)?)).await }).await
    }

    /// The user with this id; null if there is none, or if the principal may not see it.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Nullable<Arc<User>> {
        nullable(async { Ok(visible(ctx.request(), ctx.request().loaders.users.load(uuid("id", &id)?).await?)) }).await
    }

    /// The session with this id; null if there is none, or if the principal may not see it.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the session, a UUID.")] id: ID,
    ) -> Nullable<Arc<Session>> {
        nullable(async { Ok(visible(ctx.request(), ctx.request().loaders.sessions.load(uuid("id", &id)?).await?)) })
            .await
    }

    /// The audit log entry with this id; null if there is none, or if the principal may not see it.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the entry, a UUID.")] id: ID,
    ) -> Nullable<Arc<AuditLog>> {
        nullable(async { Ok(visible(ctx.request(), ctx.request().loaders.audit_logs.load(uuid("id", &id)?).await?)) })
            .await
    }

    /// Statistics of the audit log.
    #[graphql(directive = Requires::apply(ANALYST))]
    async fn audit_log_stats(
        &self,
        #[graphql(desc = "The filter; without a filter all entries are counted.")] filter: Option<AuditLogFilter>,
    ) -> Nullable<AuditLogStats> {
        nullable(async { Ok(Some(AuditLogStats::new(SizeLimit::build(filter)?))) }).await
    }

    /// The access rules of all fields. A field that is not listed has no rule beyond those of the fields that lead to it.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn access_matrix<'ctx>(&self, ctx: &Context<'ctx>) -> &'ctx [AccessMatrixEntry] {
        ctx.data_unchecked::<Arc<AccessRules>>().matrix()
    }

    /// The user with this user name (case-sensitive); null if there is none, or if the principal may not see it.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn user_by_username(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user name.")] username: String,
    ) -> Nullable<Arc<User>> {
        let request = ctx.request();
        nullable(async { Ok(visible(request, users::find_by_username(&request.db, &username).await?.map(Arc::new))) })
            .await
    }

    /// The objects with these ids, in the same order; null for each id without an object that the principal may see.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, UUIDs; at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::bad_input("ids", format!("at most {MAX_NODES} ids are allowed")));
        }
        let ids: Vec<_> = ids.iter().map(|id| uuid("ids", id)).collect::<Result<_>>()?;
        try_join_all(ids.into_iter().map(|id| node(ctx.request(), AnyId(id)))).await
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn lists(&self) -> DefinedFields<'_, Self> {
        DefinedFields(self)
    }
}

impl FieldDefinitions for Query {
    const FIELDS: &'static [Field<Self>] = &[
        Field::list("users", "All users, newest first.", ConnectionField::<User>::FIELD, |_| None).requires(ANALYST),
        Field::list("sessions", "The sessions of all users, newest first.", ConnectionField::<Session>::FIELD, |_| {
            None
        })
        .requires(ANALYST),
        Field::list("auditLogs", "All audit log entries, newest first.", ConnectionField::<AuditLog>::FIELD, |_| None)
            .requires(ANALYST),
    ];
}

/// The maximum number of ids in `nodes`.
const MAX_NODES: usize = 100;

/// The object with the id, if the principal may see it. All tables are read in any case, and those of login sessions and
/// API tokens only for rows that the principal may see: neither the number of statements nor that of rows reveals whether
/// an object exists.
async fn node(request: &RequestContext, AnyId(id): AnyId) -> Result<Option<Node>> {
    let (loaders, principal) = (&request.loaders, request.principal());
    let owner = if principal.has(Role::Admin) { None } else { principal.user().map(|user| user.id) };
    let (user, session, audit_log, auth_session, api_token) = try_join!(
        loaders.users.load(id),
        loaders.sessions.load(id),
        loaders.audit_logs.load(id),
        loaders.auth_sessions.load(OwnedId { id, owner }),
        loaders.api_tokens.load(OwnedId { id, owner }),
    )?;
    Ok(visible(request, user)
        .map(Node::User)
        .or_else(|| visible(request, session).map(Node::Session))
        .or_else(|| visible(request, audit_log).map(Node::AuditLog))
        .or_else(|| visible(request, auth_session).map(Node::AuthSession))
        .or_else(|| visible(request, api_token).map(Node::ApiToken)))
}

/// The row, if the principal may see it. The response does not reveal whether a row exists that the principal may not see.
fn visible<T: Visible>(request: &RequestContext, row: Option<Arc<T>>) -> Option<Arc<T>> {
    row.filter(|row| row.visible_to(request.principal()))
}
