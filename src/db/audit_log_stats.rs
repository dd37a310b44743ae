//! Counts over the audit log: each function is one statement over what passes a filter.

use sqlx::QueryBuilder;

use super::{
    Db,
    dialect::Dialect,
    filter::{Column, Filter, Test, TimeOrder, push_filter},
    on_planned,
    page::SortKind,
};
use crate::{
    db::audit_logs::columns,
    error::Result,
    model::{AuditAction, Timestamp, UserId},
};

/// How many entries there are, and how many of them record a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: i64,
    pub failures: i64,
}

/// The lengths of time that entries are counted by, in UTC. Weeks begin on Monday (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interval {
    Hour,
    Day,
    Week,
    Month,
}

/// What entries are counted by; the texts of columns are fixed, so that no input reaches the statement as text.
const TALLY: &str = "count(*) as entries, count(*) filter (where t.success = false) as failures";

/// Of all entries together.
pub async fn total(db: &Db, filter: Option<&Filter>) -> Result<Tally> {
    let (count, failures) = on_planned!(db, filter.is_none(), connection, keep => {
        let mut q = QueryBuilder::new(format!("select {TALLY} from audit_logs t where true"));
        push_where(&mut q, filter);
        q.build_query_as::<(i64, i64)>().persistent(keep).fetch_one(connection).await
    })?;
    Ok(Tally { count, failures })
}

/// Of each action that occurs, the most frequent first.
pub async fn by_action(db: &Db, filter: Option<&Filter>) -> Result<Vec<(AuditAction, Tally)>> {
    let rows = on_planned!(db, filter.is_none(), connection, keep => by(columns::ACTION, filter, None)
        .build_query_as::<(AuditAction, i64, i64)>()
        .persistent(keep)
        .fetch_all(connection)
        .await)?;
    Ok(rows.into_iter().map(|(action, count, failures)| (action, Tally { count, failures })).collect())
}

/// Of each user, the busiest first; no user stands for the system and for users who were deleted.
pub async fn by_user(db: &Db, filter: Option<&Filter>, first: i64) -> Result<Vec<(Option<UserId>, Tally)>> {
    let rows = on_planned!(db, filter.is_none(), connection, keep => by(columns::USER, filter, Some(first))
        .build_query_as::<(Option<UserId>, i64, i64)>()
        .persistent(keep)
        .fetch_all(connection)
        .await)?;
    Ok(rows.into_iter().map(|(user, count, failures)| (user, Tally { count, failures })).collect())
}

/// Of each address, the busiest first; no address stands for entries without one.
pub async fn by_ip_address(db: &Db, filter: Option<&Filter>, first: i64) -> Result<Vec<(Option<String>, Tally)>> {
    let rows = on_planned!(db, filter.is_none(), connection, keep => by(columns::IP_ADDRESS, filter, Some(first))
        .build_query_as::<(Option<String>, i64, i64)>()
        .persistent(keep)
        .fetch_all(connection)
        .await)?;
    Ok(rows.into_iter().map(|(address, count, failures)| (address, Tally { count, failures })).collect())
}

/// Of each interval in which something happened, by its start, the oldest first.
pub async fn over_time(db: &Db, filter: Option<&Filter>, interval: Interval) -> Result<Vec<(Timestamp, Tally)>> {
    let rows = on_planned!(db, filter.is_none(), connection, keep => over(interval, filter)
        .build_query_as::<(Timestamp, i64, i64)>()
        .persistent(keep)
        .fetch_all(connection)
        .await)?;
    Ok(rows.into_iter().map(|(start, count, failures)| (start, Tally { count, failures })).collect())
}

/// The earliest and the latest time that a filter lets through, as far as it says so on its first level.
#[must_use]
pub fn bounds(filter: Option<&Filter>) -> (Option<Timestamp>, Option<Timestamp>) {
    let (mut from, mut to) = (None, None);
    if let Some(Filter::All(parts)) = filter {
        for part in parts {
            match part {
                Filter::Is(column, Test::Time(order, at)) if *column == columns::TIMESTAMP => match order {
                    TimeOrder::AtOrAfter => from = from.max(Some(*at)),
                    TimeOrder::After => from = from.max(Some(at.plus_micros(1))),
                    TimeOrder::AtOrBefore => to = Some(to.map_or(*at, |to: Timestamp| to.min(*at))),
                    TimeOrder::Before => {
                        let last = at.minus_micros(1);
                        to = Some(to.map_or(last, |to: Timestamp| to.min(last)));
                    }
                },
                _ => {}
            }
        }
    }
    (from, to)
}

fn by<DB: Dialect>(column: Column, filter: Option<&Filter>, first: Option<i64>) -> QueryBuilder<DB> {
    let column = format!("t.{}", column.0);
    let group = DB::loose(&column);
    let mut q = QueryBuilder::new(format!("select {group}, {TALLY} from audit_logs t where true"));
    push_where(&mut q, filter);
    // Ties are broken alike on both databases: the absent value first, then by the letters.
    let letters = DB::sort_expression(&format!("cast({group} as text)"), SortKind::Text);
    q.push(format_args!(" group by {group} order by 2 desc, {group} is not null, {letters}"));
    if let Some(first) = first {
        DB::push_limit(&mut q, first);
    }
    q
}

fn over<DB: Dialect>(interval: Interval, filter: Option<&Filter>) -> QueryBuilder<DB> {
    if interval == Interval::Month {
        return months(filter);
    }
    let start = DB::start_of("t.timestamp", interval);
    let mut q = QueryBuilder::new(format!("select {start}, {TALLY} from audit_logs t where true"));
    push_where(&mut q, filter);
    q.push(" group by 1 order by 1");
    q
}

/// By the days, which are quicker to tell, and then by the months of the few days.
fn months<DB: Dialect>(filter: Option<&Filter>) -> QueryBuilder<DB> {
    let (day, month) = (DB::start_of("t.timestamp", Interval::Day), DB::start_of("d.start", Interval::Month));
    let mut q = QueryBuilder::new(format!(
        "select {month}, cast(sum(d.entries) as bigint), cast(sum(d.failures) as bigint)
        from (select {day} as start, {TALLY} from audit_logs t where true"
    ));
    push_where(&mut q, filter);
    q.push(" group by 1) d group by 1 order by 1");
    q
}

fn push_where<DB: Dialect>(q: &mut QueryBuilder<DB>, filter: Option<&Filter>) {
    if let Some(filter) = filter {
        q.push(" and ");
        push_filter(q, "t", filter);
    }
}
