//! `User`.

use std::sync::Arc;

use async_graphql::{ID, Object};

use crate::{
    db::{
        list,
        query::{Filter, ListQuery, Page, SortColumn, SortValue},
        users::orders,
    },
    error::Result,
    graphql::{
        access::{OWNER_OR_ADMIN, OWNER_OR_ANALYST},
        connection::ConnectionField,
        enums::Role,
        execution::RequestContext,
        field::{DefinedFields, Field, FieldDefinitions, enum_name},
        inputs::{UserFilter, UserOrder},
        paging::ConnectionNode,
    },
    model::{AnyId, ApiToken, AuditLog, AuthSession, Session, User, UserId},
};

/// A user account.
#[Object]
impl User {
    /// The id of the user, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn fields(&self) -> DefinedFields<'_, Self> {
        DefinedFields(self)
    }
}

impl FieldDefinitions for User {
    const FIELDS: &'static [Field<Self>] = &[
        Field::text("username", "The name for logging in; unique; at most 50 characters.", |user| &user.username),
        Field::optional_text("fullName", "The full name; at most 255 characters.", |user| user.full_name.as_deref()),
        Field::enum_value::<Role>("role", "The role.", |user| enum_name(Role::from(user.role))),
        Field::boolean("isActive", "True if the user can log in.", |user| user.is_active),
        Field::time("createdAt", "The time of creation.", |user| user.created_at),
        Field::time("updatedAt", "The time of the last change.", |user| user.updated_at),
        Field::<Self>::text("email", "The e-mail address; unique; at most 255 characters.", |user| &user.email)
            .requires(OWNER_OR_ANALYST),
        Field::<Self>::optional_time("lastLogin", "The time of the last login; null if there was none.", |user| {
            user.last_login
        })
        .requires(OWNER_OR_ANALYST),
        Field::<Self>::list(
            "sessions",
            "The sessions of the user, newest first.",
            ConnectionField::<Session>::FIELD,
            |user| Some(user.id),
        )
        .requires(OWNER_OR_ANALYST),
        Field::<Self>::list(
            "auditLogs",
            "The audit log entries of the user's actions, newest first.",
            ConnectionField::<AuditLog>::FIELD,
            |user| Some(user.id),
        )
        .requires(OWNER_OR_ANALYST),
        Field::<Self>::list(
            "authSessions",
            "The login sessions of the user, newest first; ended ones for a month.",
            ConnectionField::<AuthSession>::FIELD,
            |user| Some(user.id),
        )
        .requires(OWNER_OR_ADMIN),
        Field::<Self>::list(
            "apiTokens",
            "The API tokens of the user, newest first, revoked and expired ones included.",
            ConnectionField::<ApiToken>::FIELD,
            |user| Some(user.id),
        )
        .requires(OWNER_OR_ADMIN),
    ];

    fn owner(&self) -> Option<UserId> {
        Some(self.id)
    }
}

impl ConnectionNode for User {
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
        Box::pin(list::page::<User>(&request.db, &list_query)).await.map(Arc::new)
    }

    async fn count(request: &RequestContext, _of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        Box::pin(list::count::<User>(&request.db, filter.as_ref())).await
    }
}
