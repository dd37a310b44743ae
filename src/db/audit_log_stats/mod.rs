//! Counts over the audit log. What passes a filter is read once and put into groups; where a filter says nothing but
//! when, the indexes are walked instead (`walk`), which takes a fraction of the time.

mod walk;

use sqlx::QueryBuilder;

pub(in crate::db) use self::walk::Piece;
use self::walk::Span;
pub use self::walk::bounds;
use super::{
    Db,
    audit_logs::columns,
    dialect::Dialect,
    query::{
        filter::{Column, Filter, push_filter},
        page::SortKind,
    },
    run,
};
use crate::{
    error::Result,
    model::{AuditAction, Interval, Timestamp, UserId},
};

/// Intervals in one answer at most: a month by the hour.
pub const MAX_INTERVALS: usize = 1_000;

/// How many entries there are, and how many of them record a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: i64,
    pub failures: i64,
}

/// Both counts of what is read.
const TALLY: &str = "count(*) as entries, count(*) filter (where t.success = false) as failures";

/// Of all entries together.
pub async fn total(db: &Db, filter: Option<&Filter>) -> Result<Tally> {
    let span = Span::of(filter);
    let (count, failures) = run!(db, connection, persistent = span.is_some() => match span {
        Some(span) => span.total(),
        None => total_of(filter),
    }.build_query_as::<(i64, i64)>().persistent(persistent).fetch_one(connection).await)?;
    Ok(Tally { count, failures })
}

/// Of each action that occurs, the most frequent first.
pub async fn by_action(db: &Db, filter: Option<&Filter>) -> Result<Vec<(AuditAction, Tally)>> {
    let span = Span::of(filter);
    let rows = run!(db, connection, persistent = span.is_some() => match span {
        Some(span) => span.by(columns::ACTION, None),
        None => by(columns::ACTION, filter, None),
    }.build_query_as::<(AuditAction, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(action, count, failures)| (action, Tally { count, failures })).collect())
}

/// Of each user, the busiest first; no user stands for the system and for users who were deleted.
pub async fn by_user(db: &Db, filter: Option<&Filter>, first: i64) -> Result<Vec<(Option<UserId>, Tally)>> {
    let span = walk::if_it_pays(db, filter, columns::USER).await?;
    let rows = run!(db, connection, persistent = span.is_some() => match span {
        Some(span) => span.by(columns::USER, Some(first)),
        None => by(columns::USER, filter, Some(first)),
    }.build_query_as::<(Option<UserId>, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(user, count, failures)| (user, Tally { count, failures })).collect())
}

/// Of each address, the busiest first; no address stands for entries without one.
pub async fn by_ip_address(db: &Db, filter: Option<&Filter>, first: i64) -> Result<Vec<(Option<String>, Tally)>> {
    let span = walk::if_it_pays(db, filter, columns::IP_ADDRESS).await?;
    let rows = run!(db, connection, persistent = span.is_some() => match span {
        Some(span) => span.by(columns::IP_ADDRESS, Some(first)),
        None => by(columns::IP_ADDRESS, filter, Some(first)),
    }.build_query_as::<(Option<String>, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(address, count, failures)| (address, Tally { count, failures })).collect())
}

/// Of each interval, by its start, the oldest first. Those in which nothing happened may be left out.
pub async fn over_time(db: &Db, filter: Option<&Filter>, interval: Interval) -> Result<Vec<(Timestamp, Tally)>> {
    let pieces = match Span::of(filter) {
        Some(span) => span.pieces(db, interval, MAX_INTERVALS).await?,
        None => None,
    };
    let rows = run!(db, connection, persistent = pieces.is_some() => match &pieces {
        Some(pieces) => walk::each_of(pieces),
        None => over(interval, filter),
    }.build_query_as::<(Timestamp, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(start, count, failures)| (start, Tally { count, failures })).collect())
}

fn total_of<DB: Dialect>(filter: Option<&Filter>) -> QueryBuilder<DB> {
    let mut q = QueryBuilder::new(format!("select {TALLY} from audit_logs t where true"));
    push_where(&mut q, filter);
    q
}

fn by<DB: Dialect>(column: Column, filter: Option<&Filter>, first: Option<i64>) -> QueryBuilder<DB> {
    let group = DB::loose(&format!("t.{}", column.0));
    let mut q = QueryBuilder::new(format!("select {group}, {TALLY} from audit_logs t where true"));
    push_where(&mut q, filter);
    q.push(format_args!(" group by {group}"));
    push_ranking(&mut q, "entries", &group, first);
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

/// The largest groups first. Ties are broken alike on both databases: the absent value first, then by the letters.
fn push_ranking<DB: Dialect>(q: &mut QueryBuilder<DB>, entries: &str, key: &str, first: Option<i64>) {
    let letters = DB::sort_expression(&format!("cast({key} as text)"), SortKind::Text);
    q.push(format_args!(" order by {entries} desc, {key} is not null, {letters}"));
    if let Some(first) = first {
        DB::push_limit(q, first);
    }
}
