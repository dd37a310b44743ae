//! Filters: what they have in common, and the limit of their size.

use crate::{
    db::query::Filter,
    error::{Error, Result},
};

/// A filter of the API.
pub trait FilterInput: Sized {
    /// Converts the filter; an error if it exceeds the size limit.
    fn build(self, limit: &mut SizeLimit, level: u32) -> Result<Filter>;
}

/// The nested filters of a filter.
pub(super) struct NestedFilters<F> {
    pub and: Option<Vec<F>>,
    pub or: Option<Vec<F>>,
    pub not: Option<Box<F>>,
}

/// What is left of the maximum size of a filter.
#[derive(Debug)]
pub struct SizeLimit {
    operators: u32,
    values: usize,
}

/// The maximum nesting of `and`, `or` and `not`.
const MAX_LEVELS: u32 = 5;
/// The maximum number of operators in a filter.
const MAX_OPERATORS: u32 = 50;
/// The maximum number of values in all lists of a filter together.
const MAX_VALUES: usize = 500;
/// The maximum number of characters in a text of a filter.
const MAX_TEXT: usize = 1_000;

impl SizeLimit {
    /// Converts the filter of a list; none matches all rows.
    pub fn build<F: FilterInput>(filter: Option<F>) -> Result<Option<Filter>> {
        let mut limit = Self { operators: MAX_OPERATORS, values: MAX_VALUES };
        let filter = filter.map(|filter| filter.build(&mut limit, 1)).transpose()?;
        Ok(filter.filter(|filter| !filter.is_empty()))
    }

    pub(super) fn count_operator(&mut self) -> Result<()> {
        self.operators = self.operators.checked_sub(1).ok_or_else(|| {
            Error::bad_input("filter", format!("a filter can have at most {MAX_OPERATORS} operators"))
        })?;
        Ok(())
    }

    pub(super) fn count_values(&mut self, count: usize) -> Result<()> {
        self.values = self
            .values
            .checked_sub(count)
            .ok_or_else(|| Error::bad_input("filter", format!("a filter can have at most {MAX_VALUES} values")))?;
        Ok(())
    }

    /// Checks the length of a text of the filter.
    pub(super) fn text(text: String) -> Result<String> {
        if text.chars().count() > MAX_TEXT {
            return Err(Error::bad_input(
                "filter",
                format!("a text in a filter can have at most {MAX_TEXT} characters"),
            ));
        }
        Ok(text)
    }

    /// Adds the nested filters of `and`, `or` and `not`.
    pub(super) fn nested<F: FilterInput>(
        &mut self,
        level: u32,
        parts: &mut Vec<Filter>,
        filters: NestedFilters<F>,
    ) -> Result<()> {
        let mut inner = |filter: F| {
            if level == MAX_LEVELS {
                return Err(Error::bad_input("filter", format!("a filter can have at most {MAX_LEVELS} levels")));
            }
            // An empty filter counts as an operator: it is part of the statement too.
            self.count_operator()?;
            filter.build(self, level + 1)
        };
        if let Some(and) = filters.and {
            parts.push(Filter::All(and.into_iter().map(&mut inner).collect::<Result<_>>()?));
        }
        if let Some(or) = filters.or {
            parts.push(Filter::Any(or.into_iter().map(&mut inner).collect::<Result<_>>()?));
        }
        if let Some(not) = filters.not {
            parts.push(Filter::Not(Box::new(inner(*not)?)));
        }
        Ok(())
    }
}
