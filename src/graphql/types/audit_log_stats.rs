//! `AuditLogStats`: statistics of the audit log, each counted only if it is selected.

use std::{cmp::Ordering, sync::Arc};

use async_graphql::{Context, Enum, Object, SimpleObject};
use tokio::sync::OnceCell;

use crate::{
    db::{
        audit_log_stats::{self, MAX_INTERVALS, Tally},
        query::Filter,
    },
    error::{Error, Result},
    graphql::{
        enums::AuditAction,
        execution::ContextExt,
        nullable::{Nullable, nullable},
    },
    model::{Interval, Timestamp, User, UserId},
};

/// The default and the maximum of `first` in rankings.
const DEFAULT_RANKS: i64 = 10;
const MAX_RANKS: i64 = 100;

/// Statistics of the entries that pass a filter.
#[derive(Debug)]
pub struct AuditLogStats {
    filter: Option<Filter>,
    total: OnceCell<Result<Tally>>,
}

/// The length of an interval. Intervals are in UTC.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum StatsInterval {
    /// An hour, from minute 0.
    Hour,
    /// A day, from midnight.
    Day,
    /// A week, from Monday 00:00.
    Week,
    /// A month, from the first day 00:00.
    Month,
}

/// The number of entries with an action.
#[derive(Debug, SimpleObject)]
pub struct ActionCount {
    /// The action.
    action: AuditAction,
    /// The number of entries.
    count: i64,
    /// The number of failed entries.
    failures: i64,
}

/// The number of entries of a user.
#[derive(Debug)]
pub struct UserCount {
    user: Option<UserId>,
    tally: Tally,
}

/// The number of entries from an IP address.
#[derive(Debug, SimpleObject)]
pub struct IpAddressCount {
    /// The IP address; null for entries without one.
    ip_address: Option<String>,
    /// The number of entries.
    count: i64,
    /// The number of failed entries.
    failures: i64,
}

/// The number of entries in an interval.
#[derive(Debug, SimpleObject)]
pub struct IntervalCount {
    /// The start of the interval.
    start: Timestamp,
    /// The number of entries; 0 if there are none.
    count: i64,
    /// The number of failed entries.
    failures: i64,
}

impl AuditLogStats {
    pub fn new(filter: Option<Filter>) -> Self {
        Self { filter, total: OnceCell::new() }
    }

    /// The total, read once for the two fields that need it.
    async fn tally(&self, ctx: &Context<'_>) -> Result<Tally> {
        let count = || audit_log_stats::total(&ctx.request().db, self.filter.as_ref());
        self.total.get_or_init(count).await.clone()
    }
}

/// Statistics of the audit log entries that pass a filter. Each field is counted only if it is selected.
#[Object]
impl AuditLogStats {
    /// The number of entries.
    async fn total(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.tally(ctx).await?.count)
    }

    /// The number of failed entries.
    async fn failures(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.tally(ctx).await?.failures)
    }

    /// The number of entries by action, most frequent first, without actions that do not occur.
    async fn by_action(&self, ctx: &Context<'_>) -> Result<Vec<ActionCount>> {
        let rows = audit_log_stats::by_action(&ctx.request().db, self.filter.as_ref()).await?;
        Ok(rows
            .into_iter()
            .map(|(action, Tally { count, failures })| ActionCount { action: action.into(), count, failures })
            .collect())
    }

    /// The number of entries by user, most active first.
    async fn by_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The maximum number of users: 1 to 100; the default is 10.")] first: Option<i64>,
    ) -> Result<Vec<UserCount>> {
        let rows = audit_log_stats::by_user(&ctx.request().db, self.filter.as_ref(), ranks(first)?).await?;
        Ok(rows.into_iter().map(|(user, tally)| UserCount { user, tally }).collect())
    }

    /// The number of entries by IP address, most active first.
    async fn by_ip_address(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The maximum number of addresses: 1 to 100; the default is 10.")] first: Option<i64>,
    ) -> Result<Vec<IpAddressCount>> {
        let rows = audit_log_stats::by_ip_address(&ctx.request().db, self.filter.as_ref(), ranks(first)?).await?;
        Ok(rows
            .into_iter()
            .map(|(ip_address, Tally { count, failures })| IpAddressCount { ip_address, count, failures })
            .collect())
    }

    /// The number of entries by interval, oldest first, intervals without entries included. The range is that of the
    /// `timestamp` operators on the first level of the filter; without them it is from the first entry to the last. At most
    /// 1,000 intervals.
    async fn over_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The length of each interval.")] interval: StatsInterval,
    ) -> Result<Vec<IntervalCount>> {
        let filter = self.filter.as_ref();
        let (from, to) = audit_log_stats::bounds(filter);
        // Checked before the statement runs if the filter has both bounds.
        if let (Some(from), Some(to)) = (from, to) {
            starts(interval, from, to)?;
        }
        let rows = audit_log_stats::over_time(&ctx.request().db, filter, interval.into()).await?;
        let from = from.or(rows.first().map(|(start, _)| *start));
        let to = to.or(rows.last().map(|(start, _)| *start));
        let (Some(from), Some(to)) = (from, to) else { return Ok(Vec::new()) };
        let mut rows = rows.into_iter().peekable();
        let intervals = starts(interval, from, to)?.into_iter().map(|start| {
            let found = rows.next_if(|(row, _)| row.cmp(&start) == Ordering::Equal);
            let Tally { count, failures } = found.map(|(_, tally)| tally).unwrap_or_default();
            IntervalCount { start, count, failures }
        });
        Ok(intervals.collect())
    }
}

/// The number of entries of a user.
#[Object]
impl UserCount {
    /// The user; null for entries of the system and of deleted users.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<Arc<User>> {
        nullable(async {
            match self.user {
                Some(id) => ctx.request().loaders.users.load(id.into()).await,
                None => Ok(None),
            }
        })
        .await
    }

    /// The number of entries.
    async fn count(&self) -> i64 {
        self.tally.count
    }

    /// The number of failed entries.
    async fn failures(&self) -> i64 {
        self.tally.failures
    }
}

impl From<StatsInterval> for Interval {
    fn from(interval: StatsInterval) -> Self {
        match interval {
            StatsInterval::Hour => Self::Hour,
            StatsInterval::Day => Self::Day,
            StatsInterval::Week => Self::Week,
            StatsInterval::Month => Self::Month,
        }
    }
}

fn ranks(first: Option<i64>) -> Result<i64> {
    match first {
        None => Ok(DEFAULT_RANKS),
        Some(first) if (1..=MAX_RANKS).contains(&first) => Ok(first),
        Some(_) => Err(Error::bad_input("first", format!("`first` must be between 1 and {MAX_RANKS}"))),
    }
}

fn starts(interval: StatsInterval, from: Timestamp, to: Timestamp) -> Result<Vec<Timestamp>> {
    Interval::from(interval).starts(from, to, MAX_INTERVALS).ok_or_else(|| {
        let message =
            format!("more than {MAX_INTERVALS} intervals: use a longer interval or a shorter range of `timestamp`");
        Error::bad_input("interval", message)
    })
}
