//! `AuditLog`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    auth::Principal,
    db::{
        audit_logs::{self, columns, orders},
        query::{Column, Filter, ListQuery, Page, SortColumn, SortValue},
    },
    error::Result,
    graphql::{
        connection::Listed,
        enums::AuditAction,
        execution::{ContextExt, Json, RequestContext},
        fast_path::{Leaf, Leaves, OfUsers},
        inputs::{AuditLogFilter, AuditLogOrder},
        loaders::{CountKey, PageKey},
        nullable::{Nullable, nullable},
    },
    model::{AnyId, AuditLog, RawJson, Timestamp, User, UserId},
};

/// One thing that happened. Entries are written once and never changed.
#[Object]
impl AuditLog {
    /// The entry's id, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// Who did it; null for the system itself, and after that user was deleted.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<Arc<User>> {
        nullable(async {
            match self.user_id {
                Some(id) => ctx.request().loaders.users.load(id.into()).await,
                None => Ok(None),
            }
        })
        .await
    }

    /// The user name of who did it, as it was then; it stays when that user is deleted. For entries that were written
    /// without it, the name that the user has now. Of a failed login with a name that no user has it is that name, at most
    /// 50 characters, or `hash:` and a hash of it where it cannot be a name or the server is set so; the id of the account
    /// that a failed login was tried on is in `details.account`.
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

    /// What was done.
    async fn action(&self) -> AuditAction {
        self.action.into()
    }

    /// More about it, as the writer gave it. In an entry that a client recorded, the key `guardianeye` holds what the server
    /// adds: `recordedBy`, `apiToken`. In all other entries everything is the server's.
    async fn details(&self, ctx: &Context<'_>) -> Nullable<&RawJson> {
        Some(ctx.request().answer(self.details.as_ref()))
    }

    /// A sentence for people.
    async fn description(&self, ctx: &Context<'_>) -> Nullable<&str> {
        Some(ctx.request().answer(self.description.as_deref()))
    }

    /// The IPv4 or IPv6 address it came from.
    async fn ip_address(&self) -> Option<&str> {
        self.ip_address.as_deref()
    }

    /// What the client called itself, at most 512 characters.
    async fn user_agent(&self, ctx: &Context<'_>) -> Nullable<&str> {
        Some(ctx.request().answer(self.user_agent.as_deref()))
    }

    /// Whether it succeeded.
    async fn success(&self) -> bool {
        self.success
    }

    /// When it happened.
    async fn timestamp(&self) -> Timestamp {
        self.timestamp
    }
}

/// `username` may have to be looked up, so it is left to the resolver.
impl Leaves for AuditLog {
    fn leaf(field: &str, _: &Principal) -> Option<Leaf<Self>> {
        Some(match field {
            "id" => |row, json| json.id(row.id),
            "action" => |row, json| json.enum_value(AuditAction::from(row.action)),
            "details" => |row, json| json.or_null(row.details.as_ref(), |json, details| json.raw(&details.0)),
            "description" => |row, json| json.or_null(row.description.as_deref(), Json::text),
            "ipAddress" => |row, json| json.or_null(row.ip_address.as_deref(), Json::text),
            "userAgent" => |row, json| json.or_null(row.user_agent.as_deref(), Json::text),
            "success" => |row, json| json.bool(row.success),
            "timestamp" => |row, json| json.time(row.timestamp),
            _ => return None,
        })
    }

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    const HAS_OWNER: bool = true;
}

impl Listed for AuditLog {
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
            None => Box::pin(audit_logs::list(&request.db, &list_query)).await.map(Arc::new),
        }
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        match of {
            Some(user) => request.loaders.audit_log_counts_by_user.load(CountKey::new(user, filter)).await,
            None => Box::pin(audit_logs::count(&request.db, filter.as_ref())).await,
        }
    }
}

impl OfUsers for AuditLog {
    async fn fetch_each(
        request: &RequestContext,
        users: &[UserId],
        list_query: &Arc<ListQuery>,
    ) -> Result<Vec<Arc<Page<Self>>>> {
        request.loaders.audit_logs_by_user.load_many(PageKey::each(users, list_query)).await
    }
}
