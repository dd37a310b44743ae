//! Conditions on the rows of a list: a tree of and, or and not over tests of single columns. No GraphQL here.
//!
//! The logic has two values: a predicate of an absent value is false, and its negation true. SQL's third value is kept out
//! by `is not true`, which on both databases takes "unknown" for false.

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::network::Network;
use crate::{
    db::dialect::Dialect,
    model::{AuditAction, Role, Timestamp},
};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// All of them hold; an empty list does.
    All(Vec<Filter>),
    /// At least one of them holds; an empty list does not.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The column's value passes the predicate.
    Column(Column, Predicate),
    /// The name of who did what an audit log entry records passes the predicate: the entry's own, or else the user's.
    ActorName(Predicate),
}

/// A column of the filtered table. Each table's file lists those it lets be filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Column(pub(in crate::db) &'static str);

/// A predicate of a column's value; false for an absent value, but for `IsNull`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// Absent, or present.
    IsNull(bool),
    /// A truth value.
    IsTrue(bool),
    /// One of these texts, to the letter.
    Text(Vec<String>),
    /// The text holds this one; ASCII letters match without regard to case.
    Contains(String),
    /// The text begins with this one; ASCII letters match without regard to case.
    StartsWith(String),
    /// An address in this network.
    Network(Network),
    /// One of these ids.
    Id(Vec<Uuid>),
    /// One of these roles.
    Role(Vec<Role>),
    /// One of these actions.
    Action(Vec<AuditAction>),
    /// Later than, or earlier than.
    Time(TimeComparison, Timestamp),
    /// The JSON value holds this one, as PostgreSQL's `jsonb @>` defines it.
    JsonContains(serde_json::Value),
}

/// How a time compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeComparison {
    After,
    AtOrAfter,
    Before,
    AtOrBefore,
}

impl Filter {
    /// Whether it lets every row through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(parts) if parts.iter().all(Self::is_empty))
    }
}

/// Whether one plan is good for the statement with any values: without a filter, and with one that an index answers
/// whatever the values are. After five uses PostgreSQL plans a statement without looking at them, and would walk the whole
/// log for a word that an index knows not to be there (1.2 s instead of 3 ms among two million entries).
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

/// Writes the condition over the row `row`, as one operand of `and`.
pub(in crate::db) fn push_filter<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, filter: &Filter) {
    match filter {
        Filter::All(parts) => push_joined(q, row, parts, " and ", "true"),
        Filter::Any(parts) => push_joined(q, row, parts, " or ", "false"),
        Filter::Not(inner) => {
            q.push("(");
            push_filter(q, row, inner);
            q.push(") is not true");
        }
        Filter::Column(column, predicate) => push_predicate(q, &format!("{row}.{}", column.0), predicate),
        Filter::ActorName(predicate) => push_actor_name(q, row, predicate),
    }
}

/// Entries of older programs have no name of their own. Equality asks for both kinds apart, so that each has its index.
fn push_actor_name<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, predicate: &Predicate) {
    if let Predicate::Text(names) = predicate {
        q.push(format_args!("({row}.username "));
        DB::push_one_of_texts(q, names);
        let [before, after] = DB::ONE_OF_SUBQUERY;
        q.push(format_args!(" or ({row}.username is null and {row}.user_id {before}"));
        q.push("select u.id from users u where u.username ");
        DB::push_one_of_texts(q, names);
        q.push(after).push("))");
    } else {
        let name = format!("coalesce({row}.username, (select u.username from users u where u.id = {row}.user_id))");
        push_predicate(q, &name, predicate);
    }
}

fn push_joined<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, parts: &[Filter], between: &str, empty: &str) {
    q.push("(");
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            q.push(between);
        }
        push_filter(q, row, part);
    }
    if parts.is_empty() {
        q.push(empty);
    }
    q.push(")");
}

fn push_predicate<DB: Dialect>(q: &mut QueryBuilder<DB>, column: &str, predicate: &Predicate) {
    match predicate {
        Predicate::IsNull(true) => {
            q.push(format_args!("{column} is null"));
        }
        Predicate::IsNull(false) => {
            q.push(format_args!("{column} is not null"));
        }
        Predicate::IsTrue(value) => {
            // Literals, so that the planner sees which of the two it is.
            q.push(format_args!("{column} = {value}"));
        }
        Predicate::Text(values) => {
            q.push(format_args!("{column} "));
            DB::push_one_of_texts(q, values);
        }
        Predicate::Contains(part) => DB::push_like(q, column, format!("%{}%", literal(part))),
        Predicate::StartsWith(start) => DB::push_starts_with(q, column, start),
        Predicate::Id(values) => {
            q.push(format_args!("{column} "));
            DB::push_one_of_ids(q, values);
        }
        Predicate::Role(values) => {
            q.push(format_args!("{column} "));
            DB::push_one_of_roles(q, values);
        }
        Predicate::Action(values) => {
            q.push(format_args!("{column} "));
            DB::push_one_of_actions(q, values);
        }
        Predicate::Time(order, at) => {
            let comparison = match order {
                TimeComparison::After => ">",
                TimeComparison::AtOrAfter => ">=",
                TimeComparison::Before => "<",
                TimeComparison::AtOrBefore => "<=",
            };
            q.push(format_args!("{column} {comparison} "));
            DB::push_time(q, *at);
        }
        Predicate::Network(network) => push_network(q, column, network),
        Predicate::JsonContains(value) => DB::push_json_contains(q, column, value),
    }
}

/// The ranges are for speed alone: the pattern says the same, and more.
fn push_network<DB: Dialect>(q: &mut QueryBuilder<DB>, column: &str, network: &Network) {
    let ranged = DB::loose(column);
    q.push("(");
    for (at, (from, to)) in network.ranges.iter().enumerate() {
        q.push(if at == 0 { "(" } else { " or " });
        q.push(format_args!("{ranged} >= "));
        DB::push_text(q, from.clone());
        q.push(format_args!(" and {ranged} < "));
        DB::push_text(q, to.clone());
    }
    if !network.ranges.is_empty() {
        q.push(") and ");
    }
    DB::push_matches(q, column, network.pattern.clone());
    q.push(")");
}

/// A text as a LIKE pattern that matches just that text.
pub(in crate::db) fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
