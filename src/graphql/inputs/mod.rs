//! The input types of lists: filters and orders, and what they become for the database.

mod audit_log;
mod ip_address;
mod operators;
mod session;
mod user;

pub use self::{
    audit_log::{AuditLogFilter, AuditLogOrder},
    session::{SessionFilter, SessionOrder},
    user::{UserFilter, UserOrder},
};

use std::borrow::Cow;

use async_graphql::{Enum, InputType, InputValueError, InputValueResult, Value, registry::Registry};

use crate::{
    db::query::{Filter, Order},
    error::{Error, Result},
};

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum OrderDirection {
    /// From the least to the greatest: the oldest first, A before Z.
    Asc,
    /// From the greatest to the least: the newest first, Z before A.
    Desc,
}

/// A filter as it comes in.
pub trait FilterInput: Sized {
    /// As a condition; refused when it is larger than the budget allows.
    fn build(self, budget: &mut Budget, level: u32) -> Result<Filter>;
}

/// The type of the arguments `filter` and `orderBy` of a list that does not have them. It has no values.
#[derive(Debug)]
pub enum NotGiven {}

impl InputType for NotGiven {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "NotGiven".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Err(InputValueError::expected_type(value.unwrap_or_default()))
    }

    fn to_value(&self) -> Value {
        match *self {}
    }

    fn as_raw_value(&self) -> Option<&Self> {
        match *self {}
    }
}

impl FilterInput for NotGiven {
    fn build(self, _budget: &mut Budget, _level: u32) -> Result<Filter> {
        match self {}
    }
}

impl From<NotGiven> for Order {
    fn from(order: NotGiven) -> Self {
        match order {}
    }
}

/// The filters inside a filter.
struct Combined<F> {
    and: Option<Vec<F>>,
    or: Option<Vec<F>>,
    not: Option<Box<F>>,
}

/// How large a filter may be.
#[derive(Debug)]
pub struct Budget {
    tests: u32,
    values: usize,
}

/// `and`, `or` and `not` inside each other.
const MAX_LEVELS: u32 = 5;
/// Operators in the whole filter.
const MAX_TESTS: u32 = 50;
/// Values in all lists of the filter together.
const MAX_VALUES: usize = 500;
/// Characters of a text to look for, or to compare with.
const MAX_TEXT: usize = 1_000;

impl Budget {
    /// The whole budget for one filter; an absent filter lets everything through.
    pub fn build<F: FilterInput>(filter: Option<F>) -> Result<Option<Filter>> {
        let mut budget = Self { tests: MAX_TESTS, values: MAX_VALUES };
        let filter = filter.map(|filter| filter.build(&mut budget, 1)).transpose()?;
        Ok(filter.filter(|filter| !filter.is_empty()))
    }

    fn test(&mut self) -> Result<()> {
        self.tests = self
            .tests
            .checked_sub(1)
            .ok_or_else(|| Error::bad_input("filter", format!("at most {MAX_TESTS} operators in one filter")))?;
        Ok(())
    }

    fn values(&mut self, count: usize) -> Result<()> {
        self.values = self
            .values
            .checked_sub(count)
            .ok_or_else(|| Error::bad_input("filter", format!("at most {MAX_VALUES} values in one filter")))?;
        Ok(())
    }

    /// A text of the filter, if it is not too long.
    fn text(text: String) -> Result<String> {
        if text.chars().count() > MAX_TEXT {
            return Err(Error::bad_input("filter", format!("at most {MAX_TEXT} characters in one text")));
        }
        Ok(text)
    }

    /// Adds what `and`, `or` and `not` hold.
    fn combine<F: FilterInput>(&mut self, level: u32, parts: &mut Vec<Filter>, combined: Combined<F>) -> Result<()> {
        let mut inner = |filter: F| {
            if level == MAX_LEVELS {
                return Err(Error::bad_input("filter", format!("at most {MAX_LEVELS} levels in one filter")));
            }
            // An empty object is an operator too: it costs a place in the statement.
            self.test()?;
            filter.build(self, level + 1)
        };
        if let Some(and) = combined.and {
            parts.push(Filter::All(and.into_iter().map(&mut inner).collect::<Result<_>>()?));
        }
        if let Some(or) = combined.or {
            parts.push(Filter::Any(or.into_iter().map(&mut inner).collect::<Result<_>>()?));
        }
        if let Some(not) = combined.not {
            parts.push(Filter::Not(Box::new(inner(*not)?)));
        }
        Ok(())
    }
}
