//! `User`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    auth::Principal,
    db::{
        query::{Filter, ListQuery, Page, SortColumn, SortValue},
        users::{self, orders},
    },
    error::Result,
    graphql::{
        access::{OWNER_OR_ADMIN, OWNER_OR_ANALYST, Requires},
        connection::{Connection, ListArgs, Listed},
        enums::Role,
        execution::{ContextExt, Json, RequestContext},
        fast_path::{Leaf, Leaves},
        inputs::{AuditLogFilter, AuditLogOrder, SessionFilter, SessionOrder, UserFilter, UserOrder},
        nullable::{Nullable, nullable},
    },
    model::{AnyId, ApiToken, AuditLog, AuthSession, Session, Timestamp, User, UserId},
};

/// Somebody who can log in.
#[Object]
impl User {
    /// The user's id, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// The name to log in with; unique, at most 50 characters.
    async fn username(&self) -> &str {
        &self.username
    }

    /// The name for people, at most 255 characters.
    async fn full_name(&self, ctx: &Context<'_>) -> Nullable<&str> {
        Some(ctx.request().answer(self.full_name.as_deref()))
    }

    /// What the user may do.
    async fn role(&self) -> Role {
        self.role.into()
    }

    /// Whether the user can log in.
    async fn is_active(&self) -> bool {
        self.is_active
    }

    /// When the user was created.
    async fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When the user was last changed.
    async fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The e-mail address; unique, at most 255 characters.
    #[graphql(directive = Requires::apply(OWNER_OR_ANALYST))]
    async fn email(&self, ctx: &Context<'_>) -> Nullable<&str> {
        Some(OWNER_OR_ANALYST.check_for(ctx.request().principal(), self.id).map(|()| Some(self.email.as_str())))
    }

    /// When the user last logged in; null for never.
    #[graphql(directive = Requires::apply(OWNER_OR_ANALYST))]
    async fn last_login(&self, ctx: &Context<'_>) -> Nullable<Timestamp> {
        Some(OWNER_OR_ANALYST.check_for(ctx.request().principal(), self.id).map(|()| self.last_login))
    }

    /// The user's conversations with agents, newest first.
    #[graphql(directive = Requires::apply(OWNER_OR_ANALYST))]
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
            OWNER_OR_ANALYST.check_for(ctx.request().principal(), self.id)?;
            Connection::load(ctx, Some(self.id), ListArgs { first, after, last, before, filter, order_by })
                .await
                .map(Some)
        })
        .await
    }

    /// The audit log entries that the user caused, newest first.
    #[graphql(directive = Requires::apply(OWNER_OR_ANALYST))]
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
            OWNER_OR_ANALYST.check_for(ctx.request().principal(), self.id)?;
            Connection::load(ctx, Some(self.id), ListArgs { first, after, last, before, filter, order_by })
                .await
                .map(Some)
        })
        .await
    }

    /// The user's logins, newest first, those that have ended for a month.
    #[graphql(directive = Requires::apply(OWNER_OR_ADMIN))]
    async fn auth_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, or after `after`: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
    ) -> Nullable<Connection<AuthSession>> {
        nullable(async {
            OWNER_OR_ADMIN.check_for(ctx.request().principal(), self.id)?;
            let args = ListArgs { first, after, last, before, filter: None, order_by: None };
            Connection::load(ctx, Some(self.id), args).await.map(Some)
        })
        .await
    }

    /// The user's tokens for scripts, newest first, also those that are revoked or have ended.
    #[graphql(directive = Requires::apply(OWNER_OR_ADMIN))]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, or after `after`: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, or before `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to continue before.")] before: Option<String>,
    ) -> Nullable<Connection<ApiToken>> {
        nullable(async {
            OWNER_OR_ADMIN.check_for(ctx.request().principal(), self.id)?;
            let args = ListArgs { first, after, last, before, filter: None, order_by: None };
            Connection::load(ctx, Some(self.id), args).await.map(Some)
        })
        .await
    }
}

/// What the caller may not have of every user is left to the resolvers.
impl Leaves for User {
    fn leaf(field: &str, caller: &Principal) -> Option<Leaf<Self>> {
        let of_everybody = || OWNER_OR_ANALYST.passes_for_all_owners(caller);
        Some(match field {
            "id" => |row, json| json.id(row.id),
            "username" => |row, json| json.text(&row.username),
            "fullName" => |row, json| json.or_null(row.full_name.as_deref(), Json::text),
            "role" => |row, json| json.enum_value(Role::from(row.role)),
            "isActive" => |row, json| json.bool(row.is_active),
            "createdAt" => |row, json| json.time(row.created_at),
            "updatedAt" => |row, json| json.time(row.updated_at),
            "email" if of_everybody() => |row, json| json.text(&row.email),
            "lastLogin" if of_everybody() => |row, json| json.or_null(row.last_login, Json::time),
            _ => return None,
        })
    }

    fn is_parent(caller: &Principal) -> bool {
        OWNER_OR_ANALYST.passes_for_all_owners(caller)
    }

    fn as_parent(&self) -> Option<UserId> {
        Some(self.id)
    }
}

impl Listed for User {
    type Filter = UserFilter;
    type Order = UserOrder;

    const NEWEST_FIRST: SortColumn = orders::CREATED_AT;

    fn row_id(&self) -> AnyId {
        AnyId(self.id.into())
    }

    fn sort_value(&self, column: SortColumn) -> SortValue {
        match column {
            orders::USERNAME => SortValue::Text(self.username.clone()),
            orders::EMAIL => SortValue::Text(self.email.clone()),
            orders::LAST_LOGIN => SortValue::Time(self.last_login),
            _ => SortValue::Time(Some(self.created_at)),
        }
    }

    async fn fetch(
        request: &RequestContext,
        _of: Option<UserId>,
        list_query: Arc<ListQuery>,
    ) -> Result<Arc<Page<Self>>> {
        Box::pin(users::list(&request.db, &list_query)).await.map(Arc::new)
    }

    async fn count(request: &RequestContext, _of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        Box::pin(users::count(&request.db, filter.as_ref())).await
    }
}
