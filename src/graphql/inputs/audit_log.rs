//! `AuditLogFilter` and `AuditLogOrder`.

use async_graphql::{Enum, InputObject};

use super::{
    Budget, Combined, FilterInput, OrderDirection,
    ip_address::IpAddressFilter,
    operators::{AuditActionFilter, DateTimeFilter, IdFilter, JsonFilter, TextFilter},
};
use crate::{
    db::{
        audit_logs::{columns, orders},
        query::{Filter, Order},
    },
    error::Result,
};

/// Which audit log entries to list: all that is given has to hold. At most 5 levels, 50 operators and 500 values.
#[derive(InputObject)]
pub struct AuditLogFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By who did it; `isNull: true` finds what the system did, and deleted users.
    user: Option<IdFilter>,
    /// By the user name of who did it, as the field `username` shows it: the name of that time, also of users who are deleted
    /// by now; of a failed login the name that it was tried with.
    username: Option<TextFilter>,
    /// By what was done.
    action: Option<AuditActionFilter>,
    /// Only what succeeded, or only what failed.
    success: Option<bool>,
    /// By when it happened.
    timestamp: Option<DateTimeFilter>,
    /// By the address it came from.
    ip_address: Option<IpAddressFilter>,
    /// By what the client called itself.
    user_agent: Option<TextFilter>,
    /// By the sentence for people.
    description: Option<TextFilter>,
    /// By what the writer gave.
    details: Option<JsonFilter>,
    /// All of these hold.
    and: Option<Vec<AuditLogFilter>>,
    /// At least one of these holds; none does in an empty list.
    or: Option<Vec<AuditLogFilter>>,
    /// This does not hold.
    not: Option<Box<AuditLogFilter>>,
}

/// In which order to list audit log entries. The id breaks ties.
#[derive(InputObject)]
pub struct AuditLogOrder {
    /// What to compare.
    field: AuditLogOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// What audit log entries can be ordered by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum AuditLogOrderField {
    /// When it happened.
    Timestamp,
}

impl FilterInput for AuditLogFilter {
    fn build(self, budget: &mut Budget, level: u32) -> Result<Filter> {
        let mut parts = Vec::new();
        budget.field(columns::ID, self.id, &mut parts)?;
        budget.field(columns::USER, self.user, &mut parts)?;
        if let Some(username) = self.username {
            parts.extend(username.predicates(budget)?.map(Filter::ActorName));
        }
        budget.field(columns::ACTION, self.action, &mut parts)?;
        budget.truth(columns::SUCCESS, self.success, &mut parts)?;
        budget.field(columns::TIMESTAMP, self.timestamp, &mut parts)?;
        budget.field(columns::IP_ADDRESS, self.ip_address, &mut parts)?;
        budget.field(columns::USER_AGENT, self.user_agent, &mut parts)?;
        budget.field(columns::DESCRIPTION, self.description, &mut parts)?;
        budget.field(columns::DETAILS, self.details, &mut parts)?;
        budget.combine(level, &mut parts, Combined { and: self.and, or: self.or, not: self.not })?;
        Ok(Filter::All(parts))
    }
}

impl From<AuditLogOrder> for Order {
    fn from(order: AuditLogOrder) -> Self {
        let AuditLogOrderField::Timestamp = order.field;
        Self { column: orders::TIMESTAMP, descending: order.direction == OrderDirection::Desc }
    }
}
