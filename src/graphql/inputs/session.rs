//! `SessionFilter` and `SessionOrder`.

use async_graphql::{Enum, InputObject};

use super::{
    Budget, Combined, FilterInput, OrderDirection,
    operators::{DateTimeFilter, IdFilter, JsonFilter, TextFilter},
};
use crate::{
    db::{
        query::{Filter, Order},
        sessions::{columns, orders},
    },
    error::Result,
};

/// Which sessions to list: all that is given has to hold. At most 5 levels, 50 operators and 500 values.
#[derive(InputObject)]
pub struct SessionFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By whose they are.
    user: Option<IdFilter>,
    /// By the id of the LangGraph thread.
    thread_id: Option<TextFilter>,
    /// By title.
    title: Option<TextFilter>,
    /// By what the agents keep about them.
    context: Option<JsonFilter>,
    /// Only those that are open, or only those that are not.
    is_active: Option<bool>,
    /// By when they were opened.
    created_at: Option<DateTimeFilter>,
    /// By when they were last changed.
    updated_at: Option<DateTimeFilter>,
    /// By when they were ended; `isNull: true` finds those that were not.
    ended_at: Option<DateTimeFilter>,
    /// All of these hold.
    and: Option<Vec<SessionFilter>>,
    /// At least one of these holds; none does in an empty list.
    or: Option<Vec<SessionFilter>>,
    /// This does not hold.
    not: Option<Box<SessionFilter>>,
}

/// In which order to list sessions. The id breaks ties.
#[derive(InputObject)]
pub struct SessionOrder {
    /// What to compare.
    field: SessionOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// What sessions can be ordered by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum SessionOrderField {
    /// When they were opened.
    CreatedAt,
    /// When they were last changed.
    UpdatedAt,
}

impl FilterInput for SessionFilter {
    fn build(self, budget: &mut Budget, level: u32) -> Result<Filter> {
        let mut parts = Vec::new();
        budget.field(columns::ID, self.id, &mut parts)?;
        budget.field(columns::USER, self.user, &mut parts)?;
        budget.field(columns::THREAD_ID, self.thread_id, &mut parts)?;
        budget.field(columns::TITLE, self.title, &mut parts)?;
        budget.field(columns::CONTEXT, self.context, &mut parts)?;
        budget.truth(columns::IS_ACTIVE, self.is_active, &mut parts)?;
        budget.field(columns::CREATED_AT, self.created_at, &mut parts)?;
        budget.field(columns::UPDATED_AT, self.updated_at, &mut parts)?;
        budget.field(columns::ENDED_AT, self.ended_at, &mut parts)?;
        budget.combine(level, &mut parts, Combined { and: self.and, or: self.or, not: self.not })?;
        Ok(Filter::All(parts))
    }
}

impl From<SessionOrder> for Order {
    fn from(order: SessionOrder) -> Self {
        let column = match order.field {
            SessionOrderField::CreatedAt => orders::CREATED_AT,
            SessionOrderField::UpdatedAt => orders::UPDATED_AT,
        };
        Self { column, descending: order.direction == OrderDirection::Desc }
    }
}
