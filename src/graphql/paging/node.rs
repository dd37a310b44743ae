//! The types that connections list.

use std::sync::Arc;

use async_graphql::{InputType, OutputType};

use super::cursor;
use crate::{
    db::query::{Column, Filter, ListQuery, Order, Page, Position, SortColumn, SortValue},
    error::{Error, Result},
    graphql::{execution::RequestContext, field::FieldDefinitions, inputs::FilterInput},
    model::{AnyId, UserId},
};

/// A type that connections list.
pub trait ConnectionNode: FieldDefinitions {
    type Filter: FilterInput + InputType;
    type Order: Into<Order> + InputType;

    /// Whether list fields take the arguments `filter` and `orderBy`.
    const FILTERABLE: bool = true;
    /// The sort column of the default order, newest first.
    const NEWEST_FIRST: SortColumn;
    /// Nullable columns, each with the only field that needs it. They are not read if that field is not selected.
    const OPTIONAL_COLUMNS: &'static [(&'static str, Column)] = &[];

    /// The id of the row.
    fn row_id(&self) -> AnyId;

    /// The value of the row in a sort column.
    fn sort_value(&self, column: SortColumn) -> SortValue;

    /// Reads a page of the rows of a user, or of all rows.
    fn fetch(
        request: &RequestContext,
        of: Option<UserId>,
        list_query: Arc<ListQuery>,
    ) -> impl Future<Output = Result<Arc<Page<Self>>>> + Send;

    /// Reads a page for each of these users, in their order.
    fn fetch_each(
        _request: &RequestContext,
        _users: &[UserId],
        _list_query: &Arc<ListQuery>,
    ) -> impl Future<Output = Result<Vec<Arc<Page<Self>>>>> + Send {
        std::future::ready(Err(Error::internal("this type is not listed by user")))
    }

    /// Counts the rows of a user, or all rows, that pass the filter.
    fn count(
        request: &RequestContext,
        of: Option<UserId>,
        filter: Option<Filter>,
    ) -> impl Future<Output = Result<i64>> + Send;
}

/// The cursor of a row.
pub fn cursor_of<T: ConnectionNode>(row: &T, order: Order) -> String {
    cursor::encode(&T::type_name(), order, &Position { value: row.sort_value(order.column), id: row.row_id() })
}

/// The name of the connection type.
pub fn connection_name<T: OutputType>() -> String {
    format!("{}Connection", T::type_name())
}

/// The name of the edge type.
pub fn edge_name<T: OutputType>() -> String {
    format!("{}Edge", T::type_name())
}
