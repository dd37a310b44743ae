//! `ApiToken`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, ScalarType, Value, resolver_utils::enum_value};

use super::Scope;
use crate::{
    db::{
        api_tokens::orders,
        filter::Filter,
        page::{Listing, Slice, SortColumn, SortValue},
    },
    error::{Error, Result},
    graphql::{
        access::{Nullable, nullable},
        connection::Listed,
        context::{ContextExt, RequestContext},
        inputs::NotGiven,
        leaf::{Leaves, or_null},
        loaders::{CountOf, PageOf},
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
    fn leaf(&self, field: &str) -> Option<Value> {
        Some(match field {
            "id" => self.id.to_string().into(),
            "name" => self.name.as_str().into(),
            "scopes" => Value::List(self.scopes.iter().map(|scope| enum_value(Scope::from(scope))).collect()),
            "createdAt" => self.created_at.to_value(),
            "expiresAt" => self.expires_at.to_value(),
            "lastUsedAt" => or_null(self.last_used_at.map(|at| at.to_value())),
            "revokedAt" => or_null(self.revoked_at.map(|at| at.to_value())),
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

    async fn fetch(request: &RequestContext, of: Option<UserId>, listing: Arc<Listing>) -> Result<Arc<Slice<Self>>> {
        let user = of.ok_or_else(|| Error::internal("API tokens are listed by user"))?;
        request.loaders.api_tokens_of.load(PageOf { user, listing }).await
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        let user = of.ok_or_else(|| Error::internal("API tokens are listed by user"))?;
        request.loaders.api_token_counts_of.load(CountOf { user, filter: Arc::new(filter) }).await
    }
}
