//! A table that is listed in pages.

use super::filter::Column;

/// A table that is listed in pages.
#[derive(Debug)]
pub struct Table {
    pub(in crate::db) name: &'static str,
    pub(in crate::db) columns: &'static [&'static str],
    /// The column whose values may be large, if there is one.
    pub(in crate::db) large_column: Option<Column>,
}

impl Table {
    /// The columns in their order, with `None` in the place of each pruned column.
    pub(in crate::db) fn selected_columns(&self, pruned: &[Column]) -> impl Iterator<Item = Option<&'static str>> {
        self.columns.iter().map(|column| (!pruned.contains(&Column(column))).then_some(*column))
    }

    /// Returns true if the rows may be large, without the pruned columns.
    pub(in crate::db) fn has_large_rows(&self, pruned: &[Column]) -> bool {
        self.large_column.is_some_and(|column| !pruned.contains(&column))
    }
}
