//! Relay connections (GraphQL Cursor Connections Specification) over keyset pages.

use std::{borrow::Cow, marker::PhantomData, sync::Arc};

use async_graphql::{
    Context, ContextSelectionSet, Object, OutputType, Positioned, ServerResult, SimpleObject, TypeName, Value,
    indexmap::IndexMap,
    parser::types::Field,
    registry::{MetaInputValue, Registry},
    resolver_utils::resolve_list,
};
use futures_util::future::BoxFuture;

use super::{
    execution::{ContextExt, RequestContext},
    fast_path,
    field::{ListField, PagePlan, Scope},
    paging::{ConnectionNode, connection_name, cursor_of, edge_name, list_arguments, list_query},
};
use crate::{
    db::query::{ListQuery, Order, Page},
    error::Result,
    model::UserId,
};

/// A field that returns a connection of `T`.
pub struct ConnectionField<T>(PhantomData<fn() -> T>);

/// A page of a list.
#[derive(Debug)]
pub struct Connection<T> {
    page: Arc<Page<T>>,
    list_query: Arc<ListQuery>,
    of: Option<UserId>,
}

/// A row of a list and the order of the list.
#[derive(Debug)]
pub struct Edge<'a, T>(&'a T, Order);

/// The rows of a page, as items `V`: the nodes themselves or their edges.
struct PageRows<'a, T, V> {
    rows: &'a [T],
    order: Order,
    items: PhantomData<fn() -> V>,
}

/// An item of `nodes` or `edges`.
trait PageItem<'a, T>: OutputType {
    const IS_EDGE: bool;

    fn new(row: &'a T, order: Order) -> Self;
}

/// The position of a page in its list.
#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    /// True if the list has rows after this page: `first` with `after: endCursor` lists them.
    has_next_page: bool,
    /// True if the list has rows before this page: `last` with `before: startCursor` lists them.
    has_previous_page: bool,
    /// The cursor of the first row of the page; null if the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the last row of the page; null if the page is empty.
    end_cursor: Option<String>,
}

impl<T: ConnectionNode> ConnectionField<T> {
    /// The field, for a [field definition](super::field::Field::list).
    pub const FIELD: &'static dyn ListField = &Self(PhantomData);
}

impl<T: ConnectionNode> ListField for ConnectionField<T> {
    fn type_info(&self, registry: &mut Registry) -> String {
        Connection::<T>::create_type_info(registry)
    }

    fn arguments(&self, registry: &mut Registry) -> IndexMap<String, MetaInputValue> {
        list_arguments::<T>(registry)
    }

    fn resolve<'a>(&self, ctx: &'a Context<'a>, of: Option<UserId>) -> BoxFuture<'a, ServerResult<Value>> {
        Box::pin(async move {
            tracing::trace!(target: "request_path", "load");
            let list_query = Arc::new(list_query::<T>(ctx)?);
            let page = T::fetch(ctx.request(), of, Arc::clone(&list_query)).await.map_err(|error| {
                ctx.set_error_path(async_graphql::Error::from(error).into_server_error(ctx.item.pos))
            })?;
            let connection = Connection { page, list_query, of };
            connection.resolve(&ctx.with_selection_set(&ctx.item.node.selection_set), ctx.item).await
        })
    }

    fn plan<'a>(&self, scope: Scope<'a>, field: &'a Positioned<Field>) -> Option<Box<dyn PagePlan + 'a>> {
        fast_path::page_plan::<T>(scope, field)
    }
}

impl<T: ConnectionNode> Connection<T> {
    /// Returns true if rows lie before the position where the page starts; read only if the page has a cursor.
    async fn has_rows_before_start(&self, request: &RequestContext) -> Result<bool> {
        match self.list_query.page.before_start() {
            Some(page) => {
                let ListQuery { filter, pruned_columns, .. } = &*self.list_query;
                let list_query = ListQuery { filter: filter.clone(), page, pruned_columns: pruned_columns.clone() };
                Ok(T::fetch(request, self.of, Arc::new(list_query)).await?.has_more)
            }
            None => Ok(false),
        }
    }

    fn items<V>(&self) -> PageRows<'_, T, V> {
        PageRows { rows: &self.page.rows, order: self.list_query.page.order, items: PhantomData }
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        connection_name::<T>().into()
    }
}

impl<T: OutputType> TypeName for Edge<'_, T> {
    fn type_name() -> Cow<'static, str> {
        edge_name::<T>().into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: ConnectionNode> Connection<T> {
    /// The edges of the page: the rows with their cursors.
    async fn edges(&self) -> PageRows<'_, T, Edge<'_, T>> {
        self.items()
    }

    /// The rows of the page.
    async fn nodes(&self) -> PageRows<'_, T, &T> {
        self.items()
    }

    /// The position of the page in the list.
    async fn page_info(&self, ctx: &Context<'_>) -> Result<PageInfo> {
        let page = &self.list_query.page;
        let ahead = self.page.has_more;
        let behind_field = if page.backward { "hasNextPage" } else { "hasPreviousPage" };
        let behind = ctx.look_ahead().field(behind_field).exists() && self.has_rows_before_start(ctx.request()).await?;
        let (has_next_page, has_previous_page) = if page.backward { (behind, ahead) } else { (ahead, behind) };
        let cursor = |row: Option<&T>| row.map(|row| cursor_of(row, page.order));
        Ok(PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: cursor(self.page.rows.first()),
            end_cursor: cursor(self.page.rows.last()),
        })
    }

    /// The exact number of rows on all pages of the list. Counted only if selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        T::count(ctx.request(), self.of, self.list_query.filter.clone()).await
    }
}

/// A row of a list with its cursor.
#[Object(name_type)]
impl<T: ConnectionNode> Edge<'_, T> {
    /// The position of the row in the list, for `after` and `before`. Opaque; valid for the order of this list only.
    async fn cursor(&self) -> String {
        cursor_of(self.0, self.1)
    }

    /// The row.
    async fn node(&self) -> &T {
        self.0
    }
}

impl<'a, T: ConnectionNode> PageItem<'a, T> for &'a T {
    const IS_EDGE: bool = false;

    fn new(row: &'a T, _: Order) -> Self {
        row
    }
}

impl<'a, T: ConnectionNode> PageItem<'a, T> for Edge<'a, T> {
    const IS_EDGE: bool = true;

    fn new(row: &'a T, order: Order) -> Self {
        Self(row, order)
    }
}

impl<'a, T: ConnectionNode, V: PageItem<'a, T>> OutputType for PageRows<'a, T, V> {
    fn type_name() -> Cow<'static, str> {
        Vec::<V>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<V>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<V>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        if let Some(list) = Box::pin(fast_path::write(self.rows, self.order, ctx, V::IS_EDGE)).await {
            list.map_err(|error| ctx.set_error_path(async_graphql::Error::from(error).into_server_error(field.pos)))
        } else {
            let items = self.rows.iter().map(|row| V::new(row, self.order));
            resolve_list(ctx, field, items, Some(self.rows.len())).await
        }
    }
}
