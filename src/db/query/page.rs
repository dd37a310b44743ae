//! Keyset pagination, as plain data: a page is a number of rows on one side of a position in a total order.

use super::filter::{Column, Filter};
use crate::model::{AnyId, Timestamp};

/// Which rows of a list to read: a page, in an order, of those that pass the filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListQuery {
    /// `None` selects all rows.
    pub filter: Option<Filter>,
    pub page: PageRequest,
    /// Nullable columns that are not read; they are null in the rows.
    pub pruned_columns: Vec<Column>,
}

impl ListQuery {
    /// The first rows without a filter, in descending order.
    #[must_use]
    pub fn newest(column: SortColumn, limit: u16) -> Self {
        let order = Order { column, descending: true };
        let page = PageRequest { order, limit, from: None, backward: false, inclusive: false };
        Self { filter: None, page, pruned_columns: Vec::new() }
    }
}

/// An order of rows. The id is the second sort key, in the same direction, so the order is total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    pub column: SortColumn,
    pub descending: bool,
}

/// A column that a table can be ordered by; an index supports the order. Each table's file lists its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortColumn {
    pub(in crate::db) name: &'static str,
    pub(in crate::db) kind: SortKind,
}

/// The type of a sort column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::db) enum SortKind {
    Time,
    /// Null sorts before every time, see `dialect`.
    OptionalTime,
    /// Compared by code point on both databases.
    Text,
}

impl SortColumn {
    pub(in crate::db) const fn new(Column(name): Column, kind: SortKind) -> Self {
        Self { name, kind }
    }

    /// The column's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Returns true if the column can have this value. Any other value would be an error in the database.
    #[must_use]
    pub fn can_be(self, value: &SortValue) -> bool {
        match (self.kind, value) {
            (SortKind::Time, SortValue::Time(at)) => at.is_some(),
            (SortKind::OptionalTime, SortValue::Time(_)) => true,
            (SortKind::Text, SortValue::Text(text)) => !text.contains('\0'),
            _ => false,
        }
    }
}

/// A value of a sort column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SortValue {
    /// `None` is "never", before every time.
    Time(Option<Timestamp>),
    Text(String),
}

/// A position in a list: the value of the sort column, and the id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    pub value: SortValue,
    pub id: AnyId,
}

/// Which page of a list to read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    pub order: Order,
    /// The maximum number of rows.
    pub limit: u16,
    /// Only rows after this position in the order, or before it if `backward`.
    pub from: Option<Position>,
    /// Reads the rows next to `from` before it (`last`, `before`); the page is still in the order.
    pub backward: bool,
    /// Includes a row at `from` itself.
    pub inclusive: bool,
}

impl PageRequest {
    /// The request for the other side of `from`, with a limit of 0: its page has no rows, but `has_more` is known. `None` if
    /// the page starts at an end of the list.
    #[must_use]
    pub fn before_start(&self) -> Option<Self> {
        let from = self.from.clone()?;
        Some(Self { limit: 0, from: Some(from), backward: !self.backward, inclusive: true, ..*self })
    }

    /// One row more than the limit, to know if there are more.
    pub(in crate::db) fn sql_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The operator that compares a row's sort key with `from`.
    pub(in crate::db) fn comparison(&self) -> &'static str {
        match (self.reads_descending(), self.inclusive) {
            (true, false) => "<",
            (true, true) => "<=",
            (false, false) => ">",
            (false, true) => ">=",
        }
    }

    /// The direction in which the rows are read.
    pub(in crate::db) fn direction(&self) -> &'static str {
        if self.reads_descending() { "desc" } else { "asc" }
    }

    fn reads_descending(&self) -> bool {
        self.order.descending != self.backward
    }
}

/// A page of rows, in the order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// At most as many as the limit.
    pub rows: Vec<T>,
    /// True if there are more rows in the direction of paging.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// From the rows of the statement: in reading order, up to one more than the limit.
    pub(in crate::db) fn cut(mut rows: Vec<T>, page: &PageRequest) -> Self {
        let has_more = rows.len() > usize::from(page.limit);
        rows.truncate(usize::from(page.limit));
        if page.backward {
            rows.reverse();
        }
        Self { rows, has_more }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), has_more: false }
    }
}
