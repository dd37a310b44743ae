//! `AuditLog`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    db::{
        audit_logs::{columns, orders},
        list,
        query::{Column, Filter, ListQuery, Page, SortColumn, SortValue},
    },
    error::Result,
    graphql::{
        enums::AuditAction,
        execution::{ContextExt, RequestContext},
        field::{DefinedFields, Field, FieldDefinitions, enum_name},
        inputs::{AuditLogFilter, AuditLogOrder},
        loaders::{CountKey, PageKey},
        nullable::{Nullable, nullable},
        paging::ConnectionNode,
    },
    model::{AnyId, AuditLog, UserId},
};

/// An entry of the audit log. Entries are never changed.
#[Object]
impl AuditLog {
    /// The id of the entry, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// The user name of the actor at the time of the action; it stays when the user is deleted. Entries that were stored
    /// without it have the user's current name. An entry of a failed login with an unknown user name has the name that was
    /// tried, at most 50 characters, or `hash:` and a hash of it if the server stores hashes or the text cannot be a user
    /// name; if a failed login was for an existing account, `details.account` has its id.
    async fn username(&self, ctx: &Context<'_>) -> Nullable<String> {
        nullable(async {
            match (&self.username, self.user_id) {
                (Some(username), _) => Ok(Some(username.clone())),
                (None, Some(id)) => {
                    let user = ctx.request().loaders.users.load(id.into()).await?;
                    Ok(user.map(|user| user.username.clone()))
                }
                (None, None) => Ok(None),
            }
        })
        .await
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn fields(&self) -> DefinedFields<'_, Self> {
        DefinedFields(self)
    }
}

impl FieldDefinitions for AuditLog {
    const FIELDS: &'static [Field<Self>] = &[
        Field::user("user", "The actor; null for the system, and after the user was deleted.", |entry| entry.user_id),
        Field::enum_value::<AuditAction>("action", "The action.", |entry| enum_name(AuditAction::from(entry.action))),
        Field::optional_json(
            "details",
            "Details of the action. In an entry that a client recorded, the server adds the key `guardianeye` with \
             `recordedBy` and `apiToken`; all other keys are the client's. In all other entries all keys are the server's.",
            |entry| entry.details.as_ref(),
        ),
        Field::optional_text("description", "A description for people.", |entry| entry.description.as_deref()),
        Field::optional_text("ipAddress", "The IPv4 or IPv6 address of the client.", |entry| {
            entry.ip_address.as_deref()
        }),
        Field::optional_text("userAgent", "The `User-Agent` of the client; at most 512 characters.", |entry| {
            entry.user_agent.as_deref()
        }),
        Field::boolean("success", "True if the action succeeded.", |entry| entry.success),
        Field::time("timestamp", "The time of the action.", |entry| entry.timestamp),
    ];
}

impl ConnectionNode for AuditLog {
    type Filter = AuditLogFilter;
    type Order = AuditLogOrder;

    const NEWEST_FIRST: SortColumn = orders::TIMESTAMP;
    const OPTIONAL_COLUMNS: &'static [(&'static str, Column)] = &[
        ("username", columns::USERNAME),
        ("details", columns::DETAILS),
        ("description", columns::DESCRIPTION),
        ("ipAddress", columns::IP_ADDRESS),
        ("userAgent", columns::USER_AGENT),
    ];

    fn row_id(&self) -> AnyId {
        AnyId(self.id.into())
    }

    fn sort_value(&self, _column: SortColumn) -> SortValue {
        SortValue::Time(Some(self.timestamp))
    }

    async fn fetch(
        request: &RequestContext,
        of: Option<UserId>,
        list_query: Arc<ListQuery>,
    ) -> Result<Arc<Page<Self>>> {
        match of {
            Some(user) => request.loaders.audit_logs_by_user.load(PageKey::new(user, list_query)).await,
            None => Box::pin(list::page::<AuditLog>(&request.db, &list_query)).await.map(Arc::new),
        }
    }

    async fn fetch_each(
        request: &RequestContext,
        users: &[UserId],
        list_query: &Arc<ListQuery>,
    ) -> Result<Vec<Arc<Page<Self>>>> {
        request.loaders.audit_logs_by_user.load_many(PageKey::each(users, list_query)).await
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        match of {
            Some(user) => request.loaders.audit_log_counts_by_user.load(CountKey::new(user, filter)).await,
            None => Box::pin(list::count::<AuditLog>(&request.db, filter.as_ref())).await,
        }
    }
}
