//! Keyset paging: a page is a number of rows on one side of a position in a total order. No GraphQL here.

use std::collections::HashMap;

use super::filter::{Column, Filter};
use crate::model::{AnyId, Timestamp, UserId};

/// Which rows are wanted: those that pass the filter, in an order, a page of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListQuery {
    /// Absent lets every row through.
    pub filter: Option<Filter>,
    pub page: PageRequest,
    /// Columns that may be null and are not read: they come as null.
    pub pruned_columns: Vec<Column>,
}

impl ListQuery {
    /// The first rows of all, the newest first.
    #[must_use]
    pub fn newest(column: SortColumn, limit: u16) -> Self {
        let order = Order { column, descending: true };
        let page = PageRequest { order, limit, from: None, backward: false, inclusive: false };
        Self { filter: None, page, pruned_columns: Vec::new() }
    }
}

/// An order of rows. The id breaks ties, in the same direction, so that the order is total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    pub column: SortColumn,
    pub descending: bool,
}

/// A column that a table can be ordered by, and has an index for. Each table's file lists its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortColumn {
    pub(in crate::db) name: &'static str,
    pub(in crate::db) kind: SortKind,
}

/// What a sort column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::db) enum SortKind {
    Time,
    /// Absent counts as earlier than any time: see `dialect`.
    OptionalTime,
    /// By the code points of the letters, on both databases.
    Text,
}

impl SortColumn {
    /// The column's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether the column can have this value; what it cannot have would be an error in the database.
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
    /// `None` is "never", before all times.
    Time(Option<Timestamp>),
    Text(String),
}

/// A place in a list: the sort column's value and the id that breaks ties.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    pub value: SortValue,
    pub id: AnyId,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    pub order: Order,
    /// At most so many rows.
    pub limit: u16,
    /// Only rows on the far side of this position: later ones in the order, or earlier ones when `backward`.
    pub from: Option<Position>,
    /// Take the rows before `from`, next to it (`last`, `before`); they still come in the order.
    pub backward: bool,
    /// Whether a row at `from` itself counts.
    pub inclusive: bool,
}

impl PageRequest {
    /// What lies behind this page's starting position, to be asked with no rows at all: only whether there are any.
    /// `None` when the page starts at the end of the list, where nothing can lie behind.
    #[must_use]
    pub fn before_start(&self) -> Option<Self> {
        let from = self.from.clone()?;
        Some(Self { limit: 0, from: Some(from), backward: !self.backward, inclusive: true, ..*self })
    }

    /// One row more than asked for tells whether there are more.
    pub(in crate::db) fn sql_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// How a row must compare with `from`.
    pub(in crate::db) fn comparison(&self) -> &'static str {
        match (self.reads_descending(), self.inclusive) {
            (true, false) => "<",
            (true, true) => "<=",
            (false, false) => ">",
            (false, true) => ">=",
        }
    }

    /// The direction in which rows are read.
    pub(in crate::db) fn direction(&self) -> &'static str {
        if self.reads_descending() { "desc" } else { "asc" }
    }

    fn reads_descending(&self) -> bool {
        self.order.descending != self.backward
    }
}

/// The rows of a page, in the order, and whether more lie beyond it in the direction of paging.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// At most `limit` rows.
    pub rows: Vec<T>,
    /// Whether there was at least one row more.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// From what the statement gave, which is in reading order and up to one row too long.
    pub(in crate::db) fn cut(mut rows: Vec<T>, page: &PageRequest) -> Self {
        let has_more = rows.len() > usize::from(page.limit);
        rows.truncate(usize::from(page.limit));
        if page.backward {
            rows.reverse();
        }
        Self { rows, has_more }
    }
}

/// The slice of each parent, from one flat list in which the rows of one parent are in reading order.
pub(in crate::db) fn pages_by_parent<T>(
    rows: Vec<T>,
    page: &PageRequest,
    parent: impl Fn(&T) -> Option<UserId>,
) -> HashMap<UserId, Page<T>> {
    let mut by_parent: HashMap<UserId, Vec<T>> = HashMap::new();
    for row in rows {
        if let Some(id) = parent(&row) {
            by_parent.entry(id).or_default().push(row);
        }
    }
    by_parent.into_iter().map(|(id, rows)| (id, Page::cut(rows, page))).collect()
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), has_more: false }
    }
}
