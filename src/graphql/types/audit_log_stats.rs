//! `AuditLogStats`: counts over the audit log, each made only when it is selected.

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

/// Rows of a ranking when `first` is not given, and at most.
const DEFAULT_RANKS: i64 = 10;
const MAX_RANKS: i64 = 100;

/// Counts over the entries that pass a filter.
#[derive(Debug)]
pub struct AuditLogStats {
    filter: Option<Filter>,
    total: OnceCell<Result<Tally>>,
}

/// A length of time in UTC.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum StatsInterval {
    /// From minute 0.
    Hour,
    /// From midnight.
    Day,
    /// From midnight before Monday.
    Week,
    /// From midnight before the first.
    Month,
}

/// How often an action was recorded.
#[derive(Debug, SimpleObject)]
pub struct ActionCount {
    /// The action.
    action: AuditAction,
    /// Entries with it.
    count: i64,
    /// Those of them that record a failure.
    failures: i64,
}

/// How much a user did.
#[derive(Debug)]
pub struct UserCount {
    user: Option<UserId>,
    tally: Tally,
}

/// How much came from an address.
#[derive(Debug, SimpleObject)]
pub struct IpAddressCount {
    /// The address; null for the entries without one.
    ip_address: Option<String>,
    /// Entries from it.
    count: i64,
    /// Those of them that record a failure.
    failures: i64,
}

/// How much happened in an interval.
#[derive(Debug, SimpleObject)]
pub struct IntervalCount {
    /// When the interval begins.
    start: Timestamp,
    /// Entries in it; 0 when nothing happened.
    count: i64,
    /// Those of them that record a failure.
    failures: i64,
}

impl AuditLogStats {
    pub fn new(filter: Option<Filter>) -> Self {
        Self { filter, total: OnceCell::new() }
    }

    /// Two fields need it, and it is one statement.
    async fn tally(&self, ctx: &Context<'_>) -> Result<Tally> {
        let count = || audit_log_stats::total(&ctx.request().db, self.filter.as_ref());
        self.total.get_or_init(count).await.clone()
    }
}

/// Counts over the audit log entries that pass a filter. Each part is counted only when it is selected.
#[Object]
impl AuditLogStats {
    /// How many entries there are.
    async fn total(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.tally(ctx).await?.count)
    }

    /// How many of them record a failure.
    async fn failures(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.tally(ctx).await?.failures)
    }

    /// By action, the most frequent first; actions that do not occur are left out.
    async fn by_action(&self, ctx: &Context<'_>) -> Result<Vec<ActionCount>> {
        let rows = audit_log_stats::by_action(&ctx.request().db, self.filter.as_ref()).await?;
        Ok(rows
            .into_iter()
            .map(|(action, Tally { count, failures })| ActionCount { action: action.into(), count, failures })
            .collect())
    }

    /// By user, the busiest first.
    async fn by_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many users: 1 to 100, by default 10.")] first: Option<i64>,
    ) -> Result<Vec<UserCount>> {
        let rows = audit_log_stats::by_user(&ctx.request().db, self.filter.as_ref(), ranks(first)?).await?;
        Ok(rows.into_iter().map(|(user, tally)| UserCount { user, tally }).collect())
    }

    /// By address, the busiest first.
    async fn by_ip_address(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many addresses: 1 to 100, by default 10.")] first: Option<i64>,
    ) -> Result<Vec<IpAddressCount>> {
        let rows = audit_log_stats::by_ip_address(&ctx.request().db, self.filter.as_ref(), ranks(first)?).await?;
        Ok(rows
            .into_iter()
            .map(|(ip_address, Tally { count, failures })| IpAddressCount { ip_address, count, failures })
            .collect())
    }

    /// Over time, the oldest interval first, those without entries included: from the filter's `timestamp` bounds
    /// where it has them on its first level, else from the first entry to the last. At most 1,000 intervals.
    async fn over_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How long each interval is.")] interval: StatsInterval,
    ) -> Result<Vec<IntervalCount>> {
        let filter = self.filter.as_ref();
        let (from, to) = audit_log_stats::bounds(filter);
        // Told before the work where the filter tells it.
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

/// How much a user did.
#[Object]
impl UserCount {
    /// The user; null for what the system did, and for users who were deleted.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<Arc<User>> {
        nullable(async {
            match self.user {
                Some(id) => ctx.request().loaders.users.load(id.into()).await,
                None => Ok(None),
            }
        })
        .await
    }

    /// Entries of the user.
    async fn count(&self) -> i64 {
        self.tally.count
    }

    /// Those of them that record a failure.
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
        Some(_) => Err(Error::bad_input("first", format!("between 1 and {MAX_RANKS}"))),
    }
}

fn starts(interval: StatsInterval, from: Timestamp, to: Timestamp) -> Result<Vec<Timestamp>> {
    Interval::from(interval).starts(from, to, MAX_INTERVALS).ok_or_else(|| {
        let message = format!("at most {MAX_INTERVALS} intervals: take a longer interval or a shorter time");
        Error::bad_input("interval", message)
    })
}
