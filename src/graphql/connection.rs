//! Relay connections (GraphQL Cursor Connections Specification) over keyset pages, and their cursors.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Context, InputType, Object, OutputType, SelectionField, SimpleObject, TypeName};

use super::{
    cursor,
    execution::{ContextExt, RequestContext},
    fast_path::{Edges, Leaves, Nodes, OfUsers},
    inputs::{Budget, FilterInput},
    page_size::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE},
};
use crate::{
    db::query::{Column, Filter, ListQuery, Order, Page, PageRequest, Position, SortColumn, SortValue},
    error::{Error, Result},
    model::{AnyId, UserId},
};

/// A type that is listed in pages.
pub trait Listed: Leaves + Sized + 'static {
    type Filter: FilterInput;
    type Order: Into<Order>;

    /// What the list is ordered by when nothing is said: the newest first.
    const NEWEST_FIRST: SortColumn;

    /// Columns that may be null, each with the one field that needs it.
    const OPTIONAL_COLUMNS: &'static [(&'static str, Column)] = &[];

    /// The row's id.
    fn row_id(&self) -> AnyId;

    /// The row's value of a column that the type can be ordered by.
    fn sort_value(&self, column: SortColumn) -> SortValue;

    /// A page of all rows, or of those that belong to a user.
    fn fetch(
        request: &RequestContext,
        of: Option<UserId>,
        list_query: Arc<ListQuery>,
    ) -> impl Future<Output = Result<Arc<Page<Self>>>> + Send;

    /// How many of all rows, or of those that belong to a user, pass the filter.
    fn count(
        request: &RequestContext,
        of: Option<UserId>,
        filter: Option<Filter>,
    ) -> impl Future<Output = Result<i64>> + Send;
}

/// The arguments of a list.
pub struct ListArgs<T: Listed> {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
    pub filter: Option<T::Filter>,
    pub order_by: Option<T::Order>,
}

impl<T: Listed> ListArgs<T> {
    fn list_query(self, pruned_columns: Vec<Column>) -> Result<ListQuery> {
        let order = self.order_by.map_or(Order { column: T::NEWEST_FIRST, descending: true }, Into::into);
        let (field, count, cursor_field, cursor, foreign) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Error::bad_input("last", "give either first or last, not both")),
            (first, None) if first.is_some() || self.before.is_none() => {
                ("first", first, "after", self.after, self.before.map(|_| "before"))
            }
            (_, last) => ("last", last, "before", self.before, self.after.map(|_| "after")),
        };
        if let Some(foreign) = foreign {
            return Err(Error::bad_input(foreign, format!("{field} goes with {cursor_field}, not with {foreign}")));
        }
        let limit = match count {
            None => DEFAULT_PAGE_SIZE,
            Some(count) => u16::try_from(count)
                .ok()
                .filter(|count| (1..=MAX_PAGE_SIZE).contains(count))
                .ok_or_else(|| Error::bad_input(field, format!("between 1 and {MAX_PAGE_SIZE}")))?,
        };
        let from = cursor.map(|cursor| cursor::decode(&T::type_name(), order, cursor_field, &cursor)).transpose()?;
        let page = PageRequest { order, limit, from, backward: field == "last", inclusive: false };
        Ok(ListQuery { filter: Budget::build(self.filter)?, page, pruned_columns })
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct Connection<T> {
    page: Arc<Page<T>>,
    list_query: Arc<ListQuery>,
    of: Option<UserId>,
}

/// A row of a list, with its place there.
#[derive(Debug)]
pub struct Edge<'a, T>(pub(super) &'a T, pub(super) Order);

/// Where a page stands in its list.
#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether there are rows after the last of this page, which `first` and `after: endCursor` would give.
    has_next_page: bool,
    /// Whether there are rows before the first of this page, which `last` and `before: startCursor` would give.
    has_previous_page: bool,
    /// The cursor of the page's first row; null when the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the page's last row; null when the page is empty.
    end_cursor: Option<String>,
}

impl<T: Listed> Connection<T> {
    /// Reads a page of all rows, or of a user's.
    pub async fn load(ctx: &Context<'_>, of: Option<UserId>, args: ListArgs<T>) -> Result<Self> {
        let list_query = Arc::new(args.list_query(pruned_columns::<T>(ctx))?);
        Ok(Self { page: T::fetch(ctx.request(), of, Arc::clone(&list_query)).await?, list_query, of })
    }

    /// Whether rows lie on the other side of where the page starts; asked only when there was a cursor.
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
}

/// The cursor of a row.
pub(super) fn cursor_of<T: Listed>(row: &T, order: Order) -> String {
    cursor::encode(&T::type_name(), order, &Position { value: row.sort_value(order.column), id: row.row_id() })
}

/// Which rows a field asks for, by its arguments; the error is not one for clients.
pub(super) fn list_query<T: OfUsers>(ctx: &Context<'_>) -> Result<ListQuery> {
    fn argument<A: InputType>(ctx: &Context<'_>, name: &str) -> Result<Option<A>> {
        ctx.param_value(name, None).map(|(_, value)| value).map_err(|error| Error::internal(error.message))
    }
    let args = ListArgs::<T> {
        first: argument(ctx, "first")?,
        after: argument(ctx, "after")?,
        last: argument(ctx, "last")?,
        before: argument(ctx, "before")?,
        filter: argument(ctx, "filter")?,
        order_by: argument(ctx, "orderBy")?,
    };
    args.list_query(pruned_columns::<T>(ctx))
}

/// The columns that no selected field of the rows needs.
fn pruned_columns<T: Listed>(ctx: &Context<'_>) -> Vec<Column> {
    if T::OPTIONAL_COLUMNS.is_empty() {
        return Vec::new();
    }
    let mut columns = T::OPTIONAL_COLUMNS.to_vec();
    let mut is_needed = |field: SelectionField<'_>| columns.retain(|(name, _)| *name != field.name());
    for field in ctx.field().selection_set() {
        match field.name() {
            "nodes" => field.selection_set().for_each(&mut is_needed),
            "edges" => field
                .selection_set()
                .filter(|field| field.name() == "node")
                .for_each(|node| node.selection_set().for_each(&mut is_needed)),
            _ => {}
        }
    }
    columns.into_iter().map(|(_, column)| column).collect()
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Edge<'_, T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: Listed> Connection<T> {
    /// The rows of the page with their cursors.
    async fn edges(&self) -> Edges<'_, T> {
        Edges(&self.page.rows, self.list_query.page.order)
    }

    /// The rows of the page.
    async fn nodes(&self) -> Nodes<'_, T> {
        Nodes(&self.page.rows, self.list_query.page.order)
    }

    /// Where the page stands in the list.
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

    /// How many rows the list has on all its pages, exactly. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        T::count(ctx.request(), self.of, self.list_query.filter.clone()).await
    }
}

/// A row of a list, with its cursor.
#[Object(name_type)]
impl<T: Listed> Edge<'_, T> {
    /// The row's place in the list, for `after` and `before`. Opaque, and bound to the order of the list.
    async fn cursor(&self) -> String {
        cursor_of(self.0, self.1)
    }

    /// The row.
    async fn node(&self) -> &T {
        self.0
    }
}
