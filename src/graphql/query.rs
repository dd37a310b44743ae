//! The root of reading.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    access::{ANALYST, Nullable, SIGNED_IN, nullable, requires},
    connection::{Connection, PageArgs},
    context::{ContextExt, RequestContext},
    scalars::uuid,
    types::{Node, RateLimit, Visible},
};
use crate::{
    db::nodes::{self, NodeId},
    model::{AnyId, AuditLog, Session, User},
};

/// The root of reading.
#[derive(Debug)]
pub struct Query;

/// The root of reading.
#[Object]
impl Query {
    /// Who is logged in.
    #[graphql(directive = requires::apply(SIGNED_IN.role, SIGNED_IN.owner))]
    async fn me(&self, ctx: &Context<'_>) -> Nullable<Arc<User>> {
        Some(ctx.request().principal().require().map(|user| Some(Arc::clone(user))))
    }

    /// What the caller's queries may still cost in this minute.
    #[graphql(directive = requires::apply(SIGNED_IN.role, SIGNED_IN.owner))]
    async fn rate_limit(&self, ctx: &Context<'_>) -> Nullable<RateLimit> {
        let request = ctx.request();
        Some(SIGNED_IN.check(request.principal()).map(|()| request.charged().map(RateLimit::from)))
    }

    /// Whatever has this id; null when there is nothing, or nothing that the caller may see.
    #[graphql(directive = requires::apply(SIGNED_IN.role, SIGNED_IN.owner))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id, a UUID.")] id: ID) -> Nullable<Node> {
        nullable(async {
            SIGNED_IN.check(ctx.request().principal())?;
            let request = ctx.request();
            Ok(match nodes::find(&request.db, AnyId(uuid("id", &id)?)).await? {
                Some(NodeId::User(id)) => {
                    visible(request, request.loaders.users.load(id.into()).await?).map(Node::User)
                }
                Some(NodeId::Session(id)) => {
                    visible(request, request.loaders.sessions.load(id.into()).await?).map(Node::Session)
                }
                Some(NodeId::AuditLog(id)) => {
                    visible(request, request.loaders.audit_logs.load(id.into()).await?).map(Node::AuditLog)
                }
                None => None,
            })
        })
        .await
    }

    /// The user with this id; null when there is none, or none that the caller may see.
    #[graphql(directive = requires::apply(SIGNED_IN.role, SIGNED_IN.owner))]
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "The user's id, a UUID.")] id: ID) -> Nullable<Arc<User>> {
        nullable(async {
            SIGNED_IN.check(ctx.request().principal())?;
            Ok(visible(ctx.request(), ctx.request().loaders.users.load(uuid("id", &id)?).await?))
        })
        .await
    }

    /// All users, newest first.
    #[graphql(directive = requires::apply(ANALYST.role, ANALYST.owner))]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list or after `after`: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
    ) -> Nullable<Connection<User>> {
        nullable(async {
            ANALYST.check(ctx.request().principal())?;
            Connection::load(ctx.request(), None, PageArgs { first, after, last, before }).await.map(Some)
        })
        .await
    }

    /// The session with this id; null when there is none, or none that the caller may see.
    #[graphql(directive = requires::apply(SIGNED_IN.role, SIGNED_IN.owner))]
    async fn session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id, a UUID.")] id: ID,
    ) -> Nullable<Arc<Session>> {
        nullable(async {
            SIGNED_IN.check(ctx.request().principal())?;
            Ok(visible(ctx.request(), ctx.request().loaders.sessions.load(uuid("id", &id)?).await?))
        })
        .await
    }

    /// Everybody's sessions, newest first.
    #[graphql(directive = requires::apply(ANALYST.role, ANALYST.owner))]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list or after `after`: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
    ) -> Nullable<Connection<Session>> {
        nullable(async {
            ANALYST.check(ctx.request().principal())?;
            Connection::load(ctx.request(), None, PageArgs { first, after, last, before }).await.map(Some)
        })
        .await
    }

    /// The audit log entry with this id; null when there is none, or none that the caller may see.
    #[graphql(directive = requires::apply(SIGNED_IN.role, SIGNED_IN.owner))]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry's id, a UUID.")] id: ID,
    ) -> Nullable<Arc<AuditLog>> {
        nullable(async {
            SIGNED_IN.check(ctx.request().principal())?;
            Ok(visible(ctx.request(), ctx.request().loaders.audit_logs.load(uuid("id", &id)?).await?))
        })
        .await
    }

    /// The whole audit log, newest first.
    #[graphql(directive = requires::apply(ANALYST.role, ANALYST.owner))]
    async fn audit_logs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list or after `after`: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
    ) -> Nullable<Connection<AuditLog>> {
        nullable(async {
            ANALYST.check(ctx.request().principal())?;
            Connection::load(ctx.request(), None, PageArgs { first, after, last, before }).await.map(Some)
        })
        .await
    }
}

/// The row, if the caller may see it: another's row and no row look the same.
fn visible<T: Visible>(request: &RequestContext, row: Option<Arc<T>>) -> Option<Arc<T>> {
    row.filter(|row| row.visible_to(request.principal()))
}
