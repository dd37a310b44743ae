//! `AuditLogFilter` and `AuditLogOrder`.

use async_graphql::{Enum, InputObject};

use super::{
    filter::{FilterInput, NestedFilters, SizeLimit},
    ip_address::IpAddressFilter,
    operators::{AuditActionFilter, DateTimeFilter, IdFilter, JsonFilter, TextFilter},
    order::OrderDirection,
};
use crate::{
    db::{
        audit_logs::{columns, orders},
        query::{Filter, Order},
    },
    error::Result,
};

/// A filter for audit log entries: all given fields must match. At most 5 levels, 50 operators and 500 values.
#[derive(InputObject)]
pub struct AuditLogFilter {
    /// The id.
    id: Option<IdFilter>,
    /// The id of the actor; `isNull: true` matches entries of the system and of deleted users.
    user: Option<IdFilter>,
    /// The user name of the actor, as in the field `username`: at the time of the action, deleted users included; for a failed
    /// login the user name that was tried.
    username: Option<TextFilter>,
    /// The action.
    action: Option<AuditActionFilter>,
    /// True for succeeded actions, false for failed ones.
    success: Option<bool>,
    /// The time of the action.
    timestamp: Option<DateTimeFilter>,
    /// The IP address of the client.
    ip_address: Option<IpAddressFilter>,
    /// The `User-Agent` of the client.
    user_agent: Option<TextFilter>,
    /// The description.
    description: Option<TextFilter>,
    /// The details.
    details: Option<JsonFilter>,
    /// All of these filters match.
    and: Option<Vec<AuditLogFilter>>,
    /// At least one of these filters matches; an empty list matches nothing.
    or: Option<Vec<AuditLogFilter>>,
    /// This filter does not match.
    not: Option<Box<AuditLogFilter>>,
}

/// An order of audit log entries. Ties are broken by id.
#[derive(InputObject)]
pub struct AuditLogOrder {
    /// The field to sort by.
    field: AuditLogOrderField,
    /// The direction.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// The fields that audit log entries can be sorted by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum AuditLogOrderField {
    /// The time of the action.
    Timestamp,
}

impl FilterInput for AuditLogFilter {
    fn build(self, limit: &mut SizeLimit, level: u32) -> Result<Filter> {
        let mut parts = Vec::new();
        limit.field(columns::ID, self.id, &mut parts)?;
        limit.field(columns::USER, self.user, &mut parts)?;
        if let Some(username) = self.username {
            parts.extend(username.predicates(limit)?.map(Filter::ActorName));
        }
        limit.field(columns::ACTION, self.action, &mut parts)?;
        limit.boolean(columns::SUCCESS, self.success, &mut parts)?;
        limit.field(columns::TIMESTAMP, self.timestamp, &mut parts)?;
        limit.field(columns::IP_ADDRESS, self.ip_address, &mut parts)?;
        limit.field(columns::USER_AGENT, self.user_agent, &mut parts)?;
        limit.field(columns::DESCRIPTION, self.description, &mut parts)?;
        limit.field(columns::DETAILS, self.details, &mut parts)?;
        limit.nested(level, &mut parts, NestedFilters { and: self.and, or: self.or, not: self.not })?;
        Ok(Filter::All(parts))
    }
}

impl From<AuditLogOrder> for Order {
    fn from(order: AuditLogOrder) -> Self {
        let AuditLogOrderField::Timestamp = order.field;
        Self { column: orders::TIMESTAMP, descending: order.direction == OrderDirection::Desc }
    }
}
