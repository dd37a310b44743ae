//! The root of reading.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::{future::try_join_all, try_join};

use super::{
    access::{ANALYST, AUTHENTICATED, AccessMatrixEntry, AccessRules, Requires},
    connection::{Connection, ListArgs},
    execution::{ContextExt, RequestContext},
    inputs::{AuditLogFilter, AuditLogOrder, Budget, SessionFilter, SessionOrder, UserFilter, UserOrder},
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

/// The root of reading.
#[derive(Debug)]
pub struct Query;

/// The root of reading.
#[Object]
impl Query {
    /// Who is logged in.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn me(&self, ctx: &Context<'_>) -> Option<Arc<User>> {
        ctx.request().principal().user().cloned()
    }

    /// What the caller's queries may still cost in this minute.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn rate_limit(&self, ctx: &Context<'_>) -> Option<RateLimit> {
        ctx.request().charged().map(RateLimit::from)
    }

    /// Whatever has this id; null when there is nothing, or nothing that the caller may see.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id, a UUID.")] id: ID) -> Nullable<Node> {
        nullable(async { node(ctx.request(), AnyId(uuid("id", &id)?)).await }).await
    }

    /// The user with this id; null when there is none, or none that the caller may see.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "The user's id, a UUID.")] id: ID) -> Nullable<Arc<User>> {
        nullable(async { Ok(visible(ctx.request(), ctx.request().loaders.users.load(uuid("id", &id)?).await?)) }).await
    }

    /// All users, newest first.
    #[graphql(directive = Requires::apply(ANALYST))]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, or after `after`: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
        #[graphql(desc = "Which users to list; all by default.")] filter: Option<UserFilter>,
        #[graphql(desc = "In which order; the newest first by default.")] order_by: Option<UserOrder>,
    ) -> Nullable<Connection<User>> {
        nullable(async {
            Connection::load(ctx, None, ListArgs { first, after, last, before, filter, order_by }).await.map(Some)
        })
        .await
    }

    /// The session with this id; null when there is none, or none that the caller may see.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id, a UUID.")] id: ID,
    ) -> Nullable<Arc<Session>> {
        nullable(async { Ok(visible(ctx.request(), ctx.request().loaders.sessions.load(uuid("id", &id)?).await?)) })
            .await
    }

    /// Everybody's sessions, newest first.
    #[graphql(directive = Requires::apply(ANALYST))]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, or after `after`: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
        #[graphql(desc = "Which sessions to list; all by default.")] filter: Option<SessionFilter>,
        #[graphql(desc = "In which order; the newest first by default.")] order_by: Option<SessionOrder>,
    ) -> Nullable<Connection<Session>> {
        nullable(async {
            Connection::load(ctx, None, ListArgs { first, after, last, before, filter, order_by }).await.map(Some)
        })
        .await
    }

    /// The audit log entry with this id; null when there is none, or none that the caller may see.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry's id, a UUID.")] id: ID,
    ) -> Nullable<Arc<AuditLog>> {
        nullable(async { Ok(visible(ctx.request(), ctx.request().loaders.audit_logs.load(uuid("id", &id)?).await?)) })
            .await
    }

    /// The whole audit log, newest first.
    #[graphql(directive = Requires::apply(ANALYST))]
    async fn audit_logs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, or after `after`: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
        #[graphql(desc = "Which entries to list; all by default.")] filter: Option<AuditLogFilter>,
        #[graphql(desc = "In which order; the newest first by default.")] order_by: Option<AuditLogOrder>,
    ) -> Nullable<Connection<AuditLog>> {
        nullable(async {
            Connection::load(ctx, None, ListArgs { first, after, last, before, filter, order_by }).await.map(Some)
        })
        .await
    }

    /// Counts over the audit log.
    #[graphql(directive = Requires::apply(ANALYST))]
    async fn audit_log_stats(
        &self,
        #[graphql(desc = "Which entries to count; all by default.")] filter: Option<AuditLogFilter>,
    ) -> Nullable<AuditLogStats> {
        nullable(async { Ok(Some(AuditLogStats::new(Budget::build(filter)?))) }).await
    }

    /// The access rules of all fields. A field that is not listed has no rule beyond those of the fields that lead to it.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn access_matrix<'ctx>(&self, ctx: &Context<'ctx>) -> &'ctx [AccessMatrixEntry] {
        ctx.data_unchecked::<Arc<AccessRules>>().matrix()
    }

    /// The user with this user name, to the letter; null when there is none, or none that the caller may see.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn user_by_username(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user name.")] username: String,
    ) -> Nullable<Arc<User>> {
        nullable(async {
            let request = ctx.request();
            Ok(visible(request, users::find_by_username(&request.db, &username).await?.map(Arc::new)))
        })
        .await
    }

    /// Whatever has these ids, in their order; null for each where there is nothing, or nothing that the caller may see.
    #[graphql(directive = Requires::apply(AUTHENTICATED))]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, UUIDs; at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        let request = ctx.request();
        if ids.len() > MAX_NODES {
            return Err(Error::bad_input("ids", format!("at most {MAX_NODES} ids")));
        }
        let ids: Vec<_> = ids.iter().map(|id| uuid("ids", id)).collect::<Result<_>>()?;
        try_join_all(ids.into_iter().map(|id| node(request, AnyId(id)))).await
    }
}

/// Ids that `nodes` takes at once.
const MAX_NODES: usize = 100;

/// Whatever has the id, if the principal may see it. Every table is asked in any case, and those of logins and tokens
/// only for what the principal may see: neither the number of statements nor that of rows tells what is there.
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

/// The row, if the caller may see it: another's row and no row look the same.
fn visible<T: Visible>(request: &RequestContext, row: Option<Arc<T>>) -> Option<Arc<T>> {
    row.filter(|row| row.visible_to(request.principal()))
}
