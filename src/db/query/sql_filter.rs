//! The SQL of a filter. SQL's third truth value is removed by `is not true`, which on both databases maps "unknown" to
//! false.

use sqlx::QueryBuilder;

use super::{Filter, Network, Predicate, TimeComparison};
use crate::db::dialect::{Dialect, like_literal};

/// Appends the condition on the row `row`, as one operand of `and`.
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

/// Appends ` and <filter>`, or nothing without a filter.
pub(in crate::db) fn push_and_filter<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, filter: Option<&Filter>) {
    if let Some(filter) = filter {
        q.push(" and ");
        push_filter(q, row, filter);
    }
}

/// Entries that an older program wrote have no name of their own. For equality the two kinds of entries are separate
/// conditions, so that each can use its index.
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

fn push_joined<DB: Dialect>(q: &mut QueryBuilder<DB>, row: &str, parts: &[Filter], separator: &str, empty: &str) {
    q.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            q.push(separator);
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
            // Literals, so that the planner knows which value it is.
            q.push(format_args!("{column} = {value}"));
        }
        Predicate::Text(values) => {
            q.push(format_args!("{column} "));
            DB::push_one_of_texts(q, values);
        }
        Predicate::Contains(part) => DB::push_like(q, column, format!("%{}%", like_literal(part))),
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
        Predicate::Time(comparison, at) => {
            let operator = match comparison {
                TimeComparison::After => ">",
                TimeComparison::AtOrAfter => ">=",
                TimeComparison::Before => "<",
                TimeComparison::AtOrBefore => "<=",
            };
            q.push(format_args!("{column} {operator} "));
            DB::push_time(q, *at);
        }
        Predicate::Network(network) => push_network(q, column, network),
        Predicate::JsonContains(value) => DB::push_json_contains(q, column, value),
    }
}

/// The ranges only make the condition fast: every text that matches the pattern lies in one of them.
fn push_network<DB: Dialect>(q: &mut QueryBuilder<DB>, column: &str, network: &Network) {
    let (ranges, pattern) = match network {
        Network::Addresses(texts) => {
            q.push(format_args!("{column} "));
            return DB::push_one_of_texts(q, texts);
        }
        Network::Pattern { ranges, pattern } => (ranges, pattern),
    };
    let unindexed = DB::without_index(column);
    q.push("(");
    for (index, (from, to)) in ranges.iter().enumerate() {
        q.push(if index == 0 { "(" } else { " or " });
        q.push(format_args!("{unindexed} >= "));
        DB::push_text(q, from.clone());
        q.push(format_args!(" and {unindexed} < "));
        DB::push_text(q, to.clone());
    }
    if !ranges.is_empty() {
        q.push(") and ");
    }
    DB::push_matches(q, column, pattern.clone());
    q.push(")");
}
