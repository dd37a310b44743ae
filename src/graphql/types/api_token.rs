//! `ApiToken`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    auth::Principal,
    db::{
        api_tokens::orders,
        query::{Filter, ListQuery, Page, SortColumn, SortValue},
    },
    error::{Error, Result},
    graphql::{
        connection::Listed,
        enums::Scope,
        execution::{ContextExt, Json, RequestContext},
        fast_path::{Leaf, Leaves},
        inputs::NotGiven,
        loaders::{CountKey, PageKey},
        nullable::{Nullable, nullable},
    },
    model::{AnyId, ApiToken, Timestamp, User, UserId},
};

/// A token for scripts, without the token itself, which is shown once only. It does what its scopes say, as far as its
/// owner may do it at that moment.
#[Object]
impl ApiToken {
    /// The token's id, a UUID. It stands in the `details` of all audit log entries that the token causes.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// In whose name it acts.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<Arc<User>> {
        nullable(ctx.request().loaders.users.load(self.user_id.into())).await
    }

    /// What it is for, in its owner's words; at most 100 characters.
    async fn name(&self) -> &str {
        &self.name
    }

    /// What it may be used for.
    async fn scopes(&self) -> Vec<Scope> {
        self.scopes.iter().map(Scope::from).collect()
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it ends, if it is not revoked before.
    async fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// When it was last used, to the minute; null for never.
    async fn last_used_at(&self) -> Option<Timestamp> {
        self.last_used_at
    }

    /// Since when it is revoked, if it is.
    async fn revoked_at(&self) -> Option<Timestamp> {
        self.revoked_at
    }
}

impl Leaves for ApiToken {
    fn leaf(field: &str, _: &Principal) -> Option<Leaf<Self>> {
        Some(match field {
            "id" => |row, json| json.id(row.id),
            "name" => |row, json| json.text(&row.name),
            "scopes" => |row, json| json.list(row.scopes.iter(), |json, scope| json.enum_value(Scope::from(scope))),
            "createdAt" => |row, json| json.time(row.created_at),
            "expiresAt" => |row, json| json.time(row.expires_at),
            "lastUsedAt" => |row, json| json.or_null(row.last_used_at, Json::time),
            "revokedAt" => |row, json| json.or_null(row.revoked_at, Json::time),
            _ => return None,
        })
    }
}

impl Listed for ApiToken {
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
        let user = of.ok_or_else(|| Error::internal("API tokens are listed by user"))?;
        request.loaders.api_tokens_by_user.load(PageKey::new(user, list_query)).await
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        let user = of.ok_or_else(|| Error::internal("API tokens are listed by user"))?;
        request.loaders.api_token_counts_by_user.load(CountKey::new(user, filter)).await
    }
}
