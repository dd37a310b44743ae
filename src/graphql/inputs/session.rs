//! `SessionFilter` and `SessionOrder`.

use async_graphql::{Enum, InputObject};

use super::{
    filter::{FilterInput, NestedFilters, SizeLimit},
    operators::{DateTimeFilter, IdFilter, JsonFilter, TextFilter},
    order::OrderDirection,
};
use crate::{
    db::{
        query::{Filter, Order},
        sessions::{columns, orders},
    },
    error::Result,
};

/// A filter for sessions: all given fields must match. At most 5 levels, 50 operators and 500 values.
#[derive(InputObject)]
pub struct SessionFilter {
    /// The id.
    id: Option<IdFilter>,
    /// The id of the owner.
    user: Option<IdFilter>,
    /// The id of the LangGraph thread.
    thread_id: Option<TextFilter>,
    /// The title.
    title: Option<TextFilter>,
    /// The context that the agents store.
    context: Option<JsonFilter>,
    /// True for active sessions, false for ended ones.
    is_active: Option<bool>,
    /// The time of creation.
    created_at: Option<DateTimeFilter>,
    /// The time of the last change.
    updated_at: Option<DateTimeFilter>,
    /// The time of the end; `isNull: true` matches active sessions.
    ended_at: Option<DateTimeFilter>,
    /// All of these filters match.
    and: Option<Vec<SessionFilter>>,
    /// At least one of these filters matches; an empty list matches nothing.
    or: Option<Vec<SessionFilter>>,
    /// This filter does not match.
    not: Option<Box<SessionFilter>>,
}

/// An order of sessions. Ties are broken by id.
#[derive(InputObject)]
pub struct SessionOrder {
    /// The field to sort by.
    field: SessionOrderField,
    /// The direction.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// The fields that sessions can be sorted by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum SessionOrderField {
    /// The time of creation.
    CreatedAt,
    /// The time of the last change.
    UpdatedAt,
}

impl FilterInput for SessionFilter {
    fn build(self, limit: &mut SizeLimit, level: u32) -> Result<Filter> {
        let mut parts = Vec::new();
        limit.field(columns::ID, self.id, &mut parts)?;
        limit.field(columns::USER, self.user, &mut parts)?;
        limit.field(columns::THREAD_ID, self.thread_id, &mut parts)?;
        limit.field(columns::TITLE, self.title, &mut parts)?;
        limit.field(columns::CONTEXT, self.context, &mut parts)?;
        limit.boolean(columns::IS_ACTIVE, self.is_active, &mut parts)?;
        limit.field(columns::CREATED_AT, self.created_at, &mut parts)?;
        limit.field(columns::UPDATED_AT, self.updated_at, &mut parts)?;
        limit.field(columns::ENDED_AT, self.ended_at, &mut parts)?;
        limit.nested(level, &mut parts, NestedFilters { and: self.and, or: self.or, not: self.not })?;
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
