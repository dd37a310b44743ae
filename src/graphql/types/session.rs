//! `Session`: a conversation with agents.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    auth::Principal,
    db::{
        query::{Column, Filter, ListQuery, Page, SortColumn, SortValue},
        sessions::{self, columns, orders},
    },
    error::Result,
    graphql::{
        connection::Listed,
        execution::{ContextExt, Json, RequestContext},
        fast_path::{Leaf, Leaves, OfUsers},
        inputs::{SessionFilter, SessionOrder},
        loaders::{CountKey, PageKey},
        nullable::{Nullable, nullable},
    },
    model::{AnyId, RawJson, Session, Timestamp, User, UserId},
};

/// A conversation of a user with agents: a LangGraph thread. Not to be confused with a login.
#[Object]
impl Session {
    /// The session's id, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    /// Whose conversation it is.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<Arc<User>> {
        nullable(ctx.request().loaders.users.load(self.user_id.into())).await
    }

    /// The id of the LangGraph thread, at most 255 characters.
    async fn thread_id(&self, ctx: &Context<'_>) -> Nullable<&str> {
        Some(ctx.request().answer(self.thread_id.as_deref()))
    }

    /// What the agents keep about the conversation.
    async fn context(&self, ctx: &Context<'_>) -> Nullable<&RawJson> {
        Some(ctx.request().answer(self.context.as_ref()))
    }

    /// The title, at most 255 characters.
    async fn title(&self, ctx: &Context<'_>) -> Nullable<&str> {
        Some(ctx.request().answer(self.title.as_deref()))
    }

    /// Whether the conversation is open.
    async fn is_active(&self) -> bool {
        self.is_active
    }

    /// When it was opened.
    async fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// When it was ended; null while it is open.
    async fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }
}

impl Leaves for Session {
    fn leaf(field: &str, _: &Principal) -> Option<Leaf<Self>> {
        Some(match field {
            "id" => |row, json| json.id(row.id),
            "threadId" => |row, json| json.or_null(row.thread_id.as_deref(), Json::text),
            "context" => |row, json| json.or_null(row.context.as_ref(), |json, context| json.raw(&context.0)),
            "title" => |row, json| json.or_null(row.title.as_deref(), Json::text),
            "isActive" => |row, json| json.bool(row.is_active),
            "createdAt" => |row, json| json.time(row.created_at),
            "updatedAt" => |row, json| json.time(row.updated_at),
            "endedAt" => |row, json| json.or_null(row.ended_at, Json::time),
            _ => return None,
        })
    }

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    const HAS_OWNER: bool = true;
}

impl Listed for Session {
    type Filter = SessionFilter;
    type Order = SessionOrder;

    const NEWEST_FIRST: SortColumn = orders::CREATED_AT;
    const OPTIONAL_COLUMNS: &'static [(&'static str, Column)] =
        &[("threadId", columns::THREAD_ID), ("context", columns::CONTEXT), ("title", columns::TITLE)];

    fn row_id(&self) -> AnyId {
        AnyId(self.id.into())
    }

    fn sort_value(&self, column: SortColumn) -> SortValue {
        SortValue::Time(Some(if column == orders::UPDATED_AT { self.updated_at } else { self.created_at }))
    }

    async fn fetch(
        request: &RequestContext,
        of: Option<UserId>,
        list_query: Arc<ListQuery>,
    ) -> Result<Arc<Page<Self>>> {
        match of {
            Some(user) => request.loaders.sessions_by_user.load(PageKey::new(user, list_query)).await,
            None => Box::pin(sessions::list(&request.db, &list_query)).await.map(Arc::new),
        }
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        match of {
            Some(user) => request.loaders.session_counts_by_user.load(CountKey::new(user, filter)).await,
            None => Box::pin(sessions::count(&request.db, filter.as_ref())).await,
        }
    }
}

impl OfUsers for Session {
    async fn fetch_each(
        request: &RequestContext,
        users: &[UserId],
        list_query: &Arc<ListQuery>,
    ) -> Result<Vec<Arc<Page<Self>>>> {
        request.loaders.sessions_by_user.load_many(PageKey::each(users, list_query)).await
    }
}
