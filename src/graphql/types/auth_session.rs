//! `AuthSession`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    auth::Authenticated,
    db::{
        auth_sessions::orders,
        query::{Filter, ListQuery, Page, SortColumn, SortValue},
    },
    error::{Error, Result},
    graphql::{
        execution::{ContextExt, RequestContext},
        field::{DefinedFields, Field, FieldDefinitions},
        inputs::NotGiven,
        loaders::{CountKey, PageKey},
        paging::ConnectionNode,
    },
    model::{AnyId, AuthSession, UserId},
};

/// A login session: from the login to the logout, with all its access tokens. A conversation with agents is a `Session`.
#[Object]
impl AuthSession {
    /// The id of the login session, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// True if the request was sent with this login session.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        ctx.request().principal().authenticated().and_then(Authenticated::auth_session) == Some(self.id)
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn fields(&self) -> DefinedFields<'_, Self> {
        DefinedFields(self)
    }
}

impl FieldDefinitions for AuthSession {
    const FIELDS: &'static [Field<Self>] = &[
        Field::user("user", "The user who logged in.", |session| Some(session.user_id)),
        Field::time("createdAt", "The time of the login.", |session| session.created_at),
        Field::time("lastUsedAt", "The time when the last access token was issued.", |session| session.last_used_at),
        Field::time(
            "expiresAt",
            "The latest end of the login session. It ends earlier if it is not used, or revoked.",
            |session| session.expires_at,
        ),
        Field::optional_time("revokedAt", "The time of the logout or revocation; null if there was none.", |session| {
            session.revoked_at
        }),
        Field::optional_text("ipAddress", "The IPv4 or IPv6 address of the client at the login.", |session| {
            session.ip_address.as_deref()
        }),
        Field::optional_text("userAgent", "The `User-Agent` of the client; at most 512 characters.", |session| {
            session.user_agent.as_deref()
        }),
    ];
}

impl ConnectionNode for AuthSession {
    type Filter = NotGiven;
    type Order = NotGiven;

    const FILTERABLE: bool = false;
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
        let user = of.ok_or_else(|| Error::internal("login sessions are listed by user"))?;
        request.loaders.auth_sessions_by_user.load(PageKey::new(user, list_query)).await
    }

    async fn fetch_each(
        request: &RequestContext,
        users: &[UserId],
        list_query: &Arc<ListQuery>,
    ) -> Result<Vec<Arc<Page<Self>>>> {
        request.loaders.auth_sessions_by_user.load_many(PageKey::each(users, list_query)).await
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        let user = of.ok_or_else(|| Error::internal("login sessions are listed by user"))?;
        request.loaders.auth_session_counts_by_user.load(CountKey::new(user, filter)).await
    }
}
