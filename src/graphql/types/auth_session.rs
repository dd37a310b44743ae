//! `AuthSession`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    auth::{Authenticated, Principal},
    db::{
        auth_sessions::orders,
        query::{Filter, ListQuery, Page, SortColumn, SortValue},
    },
    error::{Error, Result},
    graphql::{
        connection::Listed,
        execution::{ContextExt, Json, RequestContext},
        fast_path::{Leaf, Leaves},
        inputs::NotGiven,
        loaders::{CountKey, PageKey},
        nullable::{Nullable, nullable},
    },
    model::{AnyId, AuthSession, Timestamp, User, UserId},
};

/// A login: from the password to the logout, over many access tokens. Not a conversation: that is a `Session`.
#[Object]
impl AuthSession {
    /// The login's id, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// Who is logged in.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<Arc<User>> {
        nullable(ctx.request().loaders.users.load(self.user_id.into())).await
    }

    /// When the password was given.
    async fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When the last access token was issued.
    async fn last_used_at(&self) -> Timestamp {
        self.last_used_at
    }

    /// When it ends whatever happens. It ends earlier when it is not used.
    async fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Since when it is ended, if it was ended before its time.
    async fn revoked_at(&self) -> Option<Timestamp> {
        self.revoked_at
    }

    /// The address that it was begun from.
    async fn ip_address(&self) -> Option<&str> {
        self.ip_address.as_deref()
    }

    /// What the client called itself, at most 512 characters.
    async fn user_agent(&self, ctx: &Context<'_>) -> Nullable<&str> {
        Some(ctx.request().answer(self.user_agent.as_deref()))
    }

    /// Whether it is the login of this very request.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        ctx.request().principal().authenticated().and_then(Authenticated::auth_session) == Some(self.id)
    }
}

/// `isCurrent` is left to the resolvers.
impl Leaves for AuthSession {
    fn leaf(field: &str, _: &Principal) -> Option<Leaf<Self>> {
        Some(match field {
            "id" => |row, json| json.id(row.id),
            "createdAt" => |row, json| json.time(row.created_at),
            "lastUsedAt" => |row, json| json.time(row.last_used_at),
            "expiresAt" => |row, json| json.time(row.expires_at),
            "revokedAt" => |row, json| json.or_null(row.revoked_at, Json::time),
            "ipAddress" => |row, json| json.or_null(row.ip_address.as_deref(), Json::text),
            "userAgent" => |row, json| json.or_null(row.user_agent.as_deref(), Json::text),
            _ => return None,
        })
    }
}

impl Listed for AuthSession {
    type Filter = NotGiven;
    type Order = NotGiven;

    const NEWEST_FIRST: SortColumn = orders::CREATED_AT;

    fn row_id(&self) -> AnyId {
        AnyId(self.id.into())
    }

    fn sort_value(&self, _column: SortColumn) -> SortValue {
        SortValue::Time(Some(self.created_at))
    }

    async fn fetch(
        request: &RequestContext,
        of: Option<UserId>,
        list_query: Arc<ListQuery>,
    ) -> Result<Arc<Page<Self>>> {
        let user = of.ok_or_else(|| Error::internal("logins are listed by user"))?;
        request.loaders.auth_sessions_by_user.load(PageKey::new(user, list_query)).await
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        let user = of.ok_or_else(|| Error::internal("logins are listed by user"))?;
        request.loaders.auth_session_counts_by_user.load(CountKey::new(user, filter)).await
    }
}
