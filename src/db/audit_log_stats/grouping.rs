//! The SQL that reads the entries that pass a filter and groups them.

use sqlx::QueryBuilder;

use crate::{
    db::{
        dialect::Dialect,
        query::{Column, Filter, SortKind, sql_filter::push_and_filter},
    },
    model::Interval,
};

/// Both counts of the entries that are read.
const TALLY: &str = "count(*) as entries, count(*) filter (where t.success = false) as failures";

/// The number of entries that pass the filter, and of those that record a failure.
pub(super) fn total<DB: Dialect>(filter: Option<&Filter>) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select {TALLY} from audit_logs t where true"));
    push_and_filter(&mut q, "t", filter);
    q
}

/// The entries of each value of a column, the largest groups first.
pub(super) fn by<DB: Dialect>(column: Column, filter: Option<&Filter>, first: Option<i64>) -> QueryBuilder<DB> {
    let group = DB::without_index(&format!("t.{}", column.0));
    let mut q = QueryBuilder::new(format!("select {group}, {TALLY} from audit_logs t where true"));
    push_and_filter(&mut q, "t", filter);
    q.push(format_args!(" group by {group}"));
    push_ranking(&mut q, "entries", &group, first);
    q
}

/// The entries of each interval, in order.
pub(super) fn over_time<DB: Dialect>(interval: Interval, filter: Option<&Filter>) -> QueryBuilder<DB> {
    if interval == Interval::Month {
        return months(filter);
    }
    let start = DB::start_of("t.timestamp", interval);
    let mut q = QueryBuilder::new(format!("select {start}, {TALLY} from audit_logs t where true"));
    push_and_filter(&mut q, "t", filter);
    q.push(" group by 1 order by 1");
    q
}

/// Groups by day, which is faster, and then the few days by month.
fn months<DB: Dialect>(filter: Option<&Filter>) -> QueryBuilder<DB> {
    let (day, month) = (DB::start_of("t.timestamp", Interval::Day), DB::start_of("d.start", Interval::Month));
    let mut q = QueryBuilder::new(format!(
        "select {month}, cast(sum(d.entries) as bigint), cast(sum(d.failures) as bigint)
        from (select {day} as start, {TALLY} from audit_logs t where true"
    ));
    push_and_filter(&mut q, "t", filter);
    q.push(" group by 1) d group by 1 order by 1");
    q
}

/// The largest groups first. Ties are ordered alike on both databases: null first, then by code point.
pub(super) fn push_ranking<DB: Dialect>(q: &mut QueryBuilder<DB>, entries: &str, key: &str, first: Option<i64>) {
    let code_points = DB::sort_expression(&format!("cast({key} as text)"), SortKind::Text);
    q.push(format_args!(" order by {entries} desc, {key} is not null, {code_points}"));
    if let Some(first) = first {
        DB::push_limit(q, first);
    }
}
