//! `Session`.

use std::sync::Arc;

use async_graphql::{ID, Object};

use crate::{
    db::{
        list,
        query::{Column, Filter, ListQuery, Page, SortColumn, SortValue},
        sessions::{columns, orders},
    },
    error::Result,
    graphql::{
        execution::RequestContext,
        field::{DefinedFields, Field, FieldDefinitions},
        inputs::{SessionFilter, SessionOrder},
        loaders::{CountKey, PageKey},
        paging::ConnectionNode,
    },
    model::{AnyId, Session, UserId},
};

/// A conversation of a user with agents: a LangGraph thread. A login session is an `AuthSession`.
#[Object]
impl Session {
    /// The id of the session, a UUID.
    pub(super) async fn id(&self) -> ID {
        self.id.into()
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn fields(&self) -> DefinedFields<'_, Self> {
        DefinedFields(self)
    }
}

impl FieldDefinitions for Session {
    const FIELDS: &'static [Field<Self>] = &[
        Field::user("user", "The user who owns the session.", |session| Some(session.user_id)),
        Field::optional_text("threadId", "The id of the LangGraph thread; at most 255 characters.", |session| {
            session.thread_id.as_deref()
        }),
        Field::optional_json("context", "The context that the agents store.", |session| session.context.as_ref()),
        Field::optional_text("title", "The title; at most 255 characters.", |session| session.title.as_deref()),
        Field::boolean("isActive", "True until the session is ended.", |session| session.is_active),
        Field::time("createdAt", "The time of creation.", |session| session.created_at),
        Field::time("updatedAt", "The time of the last change.", |session| session.updated_at),
        Field::optional_time("endedAt", "The time of the end; null while the session is active.", |session| {
            session.ended_at
        }),
    ];
}

impl ConnectionNode for Session {
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
            None => Box::pin(list::page::<Session>(&request.db, &list_query)).await.map(Arc::new),
        }
    }

    async fn fetch_each(
        request: &RequestContext,
        users: &[UserId],
        list_query: &Arc<ListQuery>,
    ) -> Result<Vec<Arc<Page<Self>>>> {
        request.loaders.sessions_by_user.load_many(PageKey::each(users, list_query)).await
    }

    async fn count(request: &RequestContext, of: Option<UserId>, filter: Option<Filter>) -> Result<i64> {
        match of {
            Some(user) => request.loaders.session_counts_by_user.load(CountKey::new(user, filter)).await,
            None => Box::pin(list::count::<Session>(&request.db, filter.as_ref())).await,
        }
    }
}
