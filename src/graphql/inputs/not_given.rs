//! A type without values, for lists without a filter or an order.

use std::borrow::Cow;

use async_graphql::{InputType, InputValueError, InputValueResult, Value, registry::Registry};

use super::filter::{FilterInput, SizeLimit};
use crate::{
    db::query::{Filter, Order},
    error::Result,
};

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
    fn build(self, _limit: &mut SizeLimit, _level: u32) -> Result<Filter> {
        match self {}
    }
}

impl From<NotGiven> for Order {
    fn from(order: NotGiven) -> Self {
        match order {}
    }
}
