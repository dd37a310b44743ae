//! Counts of audit log entries. The entries that pass a filter are read and grouped (`grouping`); if the filter only selects
//! a period, a loose index scan (`loose_index_scan`) is much faster.

mod grouping;
mod loose_index_scan;

pub use self::loose_index_scan::bounds;
use self::loose_index_scan::{Period, by_bucket, period_to_scan};
use super::{Db, audit_logs::columns, query::Filter, run};
use crate::{
    error::Result,
    model::{AuditAction, Interval, Timestamp, UserId},
};

/// The maximum number of intervals in a result: a month by the hour.
pub const MAX_INTERVALS: usize = 1_000;

/// The number of entries, and of those that record a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: i64,
    pub failures: i64,
}

/// The counts of all entries.
pub async fn total(db: &Db, filter: Option<&Filter>) -> Result<Tally> {
    let period = Period::of(filter);
    let (count, failures) = run!(db, connection, persistent = period.is_some() => match period {
        Some(period) => period.total(),
        None => grouping::total(filter),
    }.build_query_as::<(i64, i64)>().persistent(persistent).fetch_one(connection).await)?;
    Ok(Tally { count, failures })
}

/// The counts of each action, the most frequent first.
pub async fn by_action(db: &Db, filter: Option<&Filter>) -> Result<Vec<(AuditAction, Tally)>> {
    let period = Period::of(filter);
    let rows = run!(db, connection, persistent = period.is_some() => match period {
        Some(period) => period.by(columns::ACTION, None),
        None => grouping::by(columns::ACTION, filter, None),
    }.build_query_as::<(AuditAction, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(action, count, failures)| (action, Tally { count, failures })).collect())
}

/// The counts of each user, the most active first. `None` is the system and deleted users.
pub async fn by_user(db: &Db, filter: Option<&Filter>, first: i64) -> Result<Vec<(Option<UserId>, Tally)>> {
    let period = period_to_scan(db, filter, columns::USER).await?;
    let rows = run!(db, connection, persistent = period.is_some() => match period {
        Some(period) => period.by(columns::USER, Some(first)),
        None => grouping::by(columns::USER, filter, Some(first)),
    }.build_query_as::<(Option<UserId>, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(user, count, failures)| (user, Tally { count, failures })).collect())
}

/// The counts of each IP address, the most active first. `None` is entries without an address.
pub async fn by_ip_address(db: &Db, filter: Option<&Filter>, first: i64) -> Result<Vec<(Option<String>, Tally)>> {
    let period = period_to_scan(db, filter, columns::IP_ADDRESS).await?;
    let rows = run!(db, connection, persistent = period.is_some() => match period {
        Some(period) => period.by(columns::IP_ADDRESS, Some(first)),
        None => grouping::by(columns::IP_ADDRESS, filter, Some(first)),
    }.build_query_as::<(Option<String>, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(address, count, failures)| (address, Tally { count, failures })).collect())
}

/// The counts of each interval, by its start, the oldest first. Intervals without entries may be omitted.
pub async fn over_time(db: &Db, filter: Option<&Filter>, interval: Interval) -> Result<Vec<(Timestamp, Tally)>> {
    let buckets = match Period::of(filter) {
        Some(period) => period.buckets(db, interval, MAX_INTERVALS).await?,
        None => None,
    };
    let rows = run!(db, connection, persistent = buckets.is_some() => match &buckets {
        Some(buckets) => by_bucket(buckets),
        None => grouping::over_time(interval, filter),
    }.build_query_as::<(Timestamp, i64, i64)>().persistent(persistent).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(start, count, failures)| (start, Tally { count, failures })).collect())
}
