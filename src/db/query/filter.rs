//! The condition on the rows of a list, as plain data: a tree of `and`, `or` and `not` over predicates of single columns.
//!
//! The logic has two values: a predicate of a null is false, and its negation true.

use uuid::Uuid;

use super::network::Network;
use crate::model::{AuditAction, Role, Timestamp};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// All of them hold; true for an empty list.
    All(Vec<Filter>),
    /// At least one of them holds; false for an empty list.
    Any(Vec<Filter>),
    /// The condition does not hold.
    Not(Box<Filter>),
    /// The column's value satisfies the predicate.
    Column(Column, Predicate),
    /// The user name of an audit log entry satisfies the predicate: the entry's own name or, if that is null, the name of
    /// the entry's user.
    ActorName(Predicate),
}

/// A column of the filtered table. Each table's file lists the columns that can be filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Column(pub(in crate::db) &'static str);

/// A predicate of a column's value; false for null, except for `IsNull`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// The value is null, or is not null.
    IsNull(bool),
    /// A boolean.
    IsTrue(bool),
    /// One of these texts, case-sensitively.
    Text(Vec<String>),
    /// The text contains this one; ASCII letters match case-insensitively.
    Contains(String),
    /// The text starts with this one; ASCII letters match case-insensitively.
    StartsWith(String),
    /// An IP address in this network.
    Network(Network),
    /// One of these ids.
    Id(Vec<Uuid>),
    /// One of these roles.
    Role(Vec<Role>),
    /// One of these actions.
    Action(Vec<AuditAction>),
    /// A time after or before this one.
    Time(TimeComparison, Timestamp),
    /// The JSON value contains this one, as PostgreSQL's `jsonb @>` defines it.
    JsonContains(serde_json::Value),
}

/// How a time compares with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeComparison {
    After,
    AtOrAfter,
    Before,
    AtOrBefore,
}

impl Filter {
    /// Returns true if every row passes the filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(parts) if parts.iter().all(Self::is_empty))
    }
}

/// Returns true if a generic plan is good for any parameter values: without a filter, and with a filter that an index
/// answers for every value. PostgreSQL switches a prepared statement to a generic plan after five executions; for a word
/// that occurs nowhere, that plan scans the whole log (1.2 s instead of 3 ms with two million entries).
pub(in crate::db) fn generic_plan_is_safe(filter: Option<&Filter>) -> bool {
    match filter {
        None => true,
        Some(Filter::All(parts)) => parts.iter().all(|part| generic_plan_is_safe(Some(part))),
        Some(Filter::Column(_, Predicate::Id(values))) => values.len() == 1,
        Some(Filter::Column(_, Predicate::Action(values))) => values.len() == 1,
        Some(Filter::Column(_, predicate)) => matches!(predicate, Predicate::Time(..) | Predicate::IsTrue(_)),
        Some(Filter::Any(_) | Filter::Not(_) | Filter::ActorName(_)) => false,
    }
}
