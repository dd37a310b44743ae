//! Keyset paging: a page is a number of rows on one side of a position in a total order. No GraphQL here.

use std::collections::HashMap;

use crate::model::{AnyId, Timestamp, UserId};

/// A place in a list: the sort column's value and the id that breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The value of the sort column.
    pub at: Timestamp,
    /// The row's id.
    pub id: AnyId,
}

/// Which rows of a list are wanted. Lists run from the newest row to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// At most so many rows.
    pub limit: u16,
    /// Only rows on the far side of this position: older ones, or newer ones when `backward`.
    pub from: Option<Position>,
    /// Take the rows next to `from` in the direction of the newer ones (`last`, `before`); they still come newest first.
    pub backward: bool,
    /// Whether a row at `from` itself counts.
    pub inclusive: bool,
}

impl Page {
    /// The first page of a list.
    #[must_use]
    pub const fn first(limit: u16) -> Self {
        Self { limit, from: None, backward: false, inclusive: false }
    }

    /// What lies behind this page's starting position, to be asked with no rows at all: only whether there are any.
    /// `None` when the page starts at the end of the list, where nothing can lie behind.
    #[must_use]
    pub fn behind(&self) -> Option<Self> {
        self.from.map(|_| Self { limit: 0, backward: !self.backward, inclusive: true, ..*self })
    }

    /// One row more than asked for tells whether there are more.
    pub(super) fn sql_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// How a row must compare with `from`.
    pub(super) fn comparison(&self) -> &'static str {
        match (self.backward, self.inclusive) {
            (false, false) => "<",
            (false, true) => "<=",
            (true, false) => ">",
            (true, true) => ">=",
        }
    }

    /// The direction in which rows are read.
    pub(super) fn direction(&self) -> &'static str {
        if self.backward { "asc" } else { "desc" }
    }
}

/// The rows of a page, newest first, and whether more lie beyond it in the direction of paging.
#[derive(Clone, Debug)]
pub struct Slice<T> {
    /// At most `limit` rows.
    pub rows: Vec<T>,
    /// Whether there was at least one row more.
    pub has_more: bool,
}

impl<T> Slice<T> {
    /// From what the statement gave, which is in reading order and up to one row too long.
    pub(super) fn cut(mut rows: Vec<T>, page: &Page) -> Self {
        let has_more = rows.len() > usize::from(page.limit);
        rows.truncate(usize::from(page.limit));
        if page.backward {
            rows.reverse();
        }
        Self { rows, has_more }
    }
}

/// The slice of each parent, from one flat list in which the rows of one parent are in reading order.
pub(super) fn slices_by<T>(
    rows: Vec<T>,
    page: &Page,
    parent: impl Fn(&T) -> Option<UserId>,
) -> HashMap<UserId, Slice<T>> {
    let mut by_parent: HashMap<UserId, Vec<T>> = HashMap::new();
    for row in rows {
        if let Some(id) = parent(&row) {
            by_parent.entry(id).or_default().push(row);
        }
    }
    by_parent.into_iter().map(|(id, rows)| (id, Slice::cut(rows, page))).collect()
}

impl<T> Default for Slice<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), has_more: false }
    }
}
