//! `ApiToken`.

use std::sync::Arc;

use async_graphql::{ID, Object};

use crate::{
    db::{
        api_tokens::orders,
        query::{Filter, ListQuery, Page, SortColumn, SortValue},
    },
    error::{Error, Result},
    graphql::{
        enums::Scope,
        execution::RequestContext,
        field::{DefinedFields, Field, FieldDefinitions, enum_name},
        inputs::NotGiven,
        loaders::{CountKey, PageKey},
        paging::ConnectionNode,
    },
    model::{AnyId, ApiToken, UserId},
};

/// An API token, without its secret, which is shown once only. Its permissions are its scopes, limited by the current role
/// of its owner.
#[Object]
impl ApiToken {
    /// The id of the token, a UUID. It is in the `details` of all audit log entries that the token causes.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn fields(&self) -> DefinedFields<'_, Self> {
        DefinedFields(self)
    }
}

impl FieldDefinitions for ApiToken {
    const FIELDS: &'static [Field<Self>] = &[
        Field::user("user", "The owner of the token.", |token| Some(token.user_id)),
        Field::text("name", "The name that the owner gave it; at most 100 characters.", |token| &token.name),
        Field::enum_values::<Scope>("scopes", "The scopes.", |token| {
            token.scopes.iter().map(|scope| enum_name(Scope::from(scope))).collect()
        }),
        Field::time("createdAt", "The time of creation.", |token| token.created_at),
        Field::time("expiresAt", "The time of expiry.", |token| token.expires_at),
        Field::optional_time(
            "lastUsedAt",
            "The time of the last use, to the minute; null if it was never used.",
            |token| token.last_used_at,
        ),
        Field::optional_time("revokedAt", "The time of revocation; null if it is not revoked.", |token| {
            token.revoked_at
        }),
    ];
}

impl ConnectionNode for ApiToken {
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
        let user = of.ok_or_else(|| Error::internal("API tokens are listed by user"))?;
        request.loaders.api_tokens_by_user.load(PageKey::new(user, list_query)).await
    }

    async fn fetch_each(
        request: &RequestContext,
        users: &[UserId],
        list_query: &Arc<ListQuery>,
    ) -> Result<Vec<Arc<Page<Self>>>> {
        request.loaders.api_tokens_by_user.load_many(PageKey::each(users, list_query)).await
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        let user = of.ok_or_else(|| Error::internal("API tokens are listed by user"))?;
        request.loaders.api_token_counts_by_user.load(CountKey::new(user, filter)).await
    }
}
