//! Counts entries within a period by a loose index scan. Each group is a range of an index on (group, time), and counting
//! such a range is an index-only scan. To group all entries by a hash or a sort takes two to forty times as long.

use sqlx::QueryBuilder;

use super::grouping::push_ranking;
use crate::{
    db::{
        Db,
        audit_logs::columns,
        dialect::{Bucket, Dialect},
        query::{Column, Filter, Predicate, TimeComparison},
        run,
    },
    error::Result,
    model::{Interval, Timestamp},
};

/// More groups than this are not scanned one by one, and not counted to decide about it.
const MAX_GROUPS: u16 = 20_000;

/// A period from one time to another, both inclusive; `None` is an open end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Period {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// The earliest and the latest time that pass a filter, if predicates on its first level bound them.
#[must_use]
pub fn bounds(filter: Option<&Filter>) -> (Option<Timestamp>, Option<Timestamp>) {
    let mut period = Period::default();
    if let Some(Filter::All(parts)) = filter {
        for part in parts {
            period.narrow(part);
        }
    }
    (period.from, period.to)
}

/// The period of the filter, if it is one and a loose index scan by this column is faster than grouping: when there are many
/// entries for each group.
pub(super) async fn period_to_scan(db: &Db, filter: Option<&Filter>, column: Column) -> Result<Option<Period>> {
    let Some(period) = Period::of(filter) else { return Ok(None) };
    let is_faster: bool =
        run!(db, connection => period.is_scan_faster(column).build_query_scalar().fetch_one(connection).await)?;
    Ok(is_faster.then_some(period))
}

impl Period {
    /// The period that the filter selects; `None` if the filter has conditions on other columns.
    pub(super) fn of(filter: Option<&Filter>) -> Option<Self> {
        let mut period = Self::default();
        match filter {
            None => Some(period),
            Some(Filter::All(parts)) => parts.iter().all(|part| period.narrow(part)).then_some(period),
            Some(_) => None,
        }
    }

    /// Applies a bound of the time; `false` if the filter is something else.
    fn narrow(&mut self, filter: &Filter) -> bool {
        let Filter::Column(column, Predicate::Time(order, at)) = filter else { return false };
        if *column != columns::TIMESTAMP {
            return false;
        }
        let from = |at| self.from.max(Some(at));
        let to = |at: Timestamp| Some(self.to.map_or(at, |to| to.min(at)));
        match order {
            TimeComparison::AtOrAfter => self.from = from(*at),
            // Nothing is later, and the next time cannot be represented.
            TimeComparison::After if *at >= Timestamp::MAX => return false,
            TimeComparison::After => self.from = from(at.plus_micros(1)),
            TimeComparison::AtOrBefore => self.to = to(*at),
            TimeComparison::Before => self.to = to(at.minus_micros(1)),
        }
        true
    }

    /// The buckets of the period, one for each interval. An open end is replaced by the first or the last entry. `None` if
    /// there are more than `limit`.
    pub(super) async fn buckets(self, db: &Db, interval: Interval, limit: usize) -> Result<Option<Vec<Bucket>>> {
        let Some((from, to)) = self.ends(db).await? else { return Ok(Some(Vec::new())) };
        let Some(starts) = interval.starts(from, to, limit) else { return Ok(None) };
        let ends = starts.iter().skip(1).map(|next| next.minus_micros(1)).chain([to]);
        let buckets =
            starts.iter().zip(ends).map(|(start, end)| Bucket { start: *start, first: from.max(*start), last: end });
        Ok(Some(buckets.collect()))
    }

    /// The start and the end of the period; the time of an entry for an open end. `None` if there is no entry.
    async fn ends(self, db: &Db) -> Result<Option<(Timestamp, Timestamp)>> {
        if let Self { from: Some(from), to: Some(to) } = self {
            return Ok(Some((from, to)));
        }
        let (first, last): (Option<Timestamp>, Option<Timestamp>) =
            run!(db, connection => self.first_and_last().build_query_as().fetch_one(connection).await)?;
        Ok(first.zip(last).map(|(first, last)| (self.from.unwrap_or(first), self.to.unwrap_or(last))))
    }

    fn first_and_last<DB: Dialect>(self) -> QueryBuilder<DB> {
        let mut q = QueryBuilder::new("select (select min(t.timestamp) from audit_logs t where true");
        self.push_and(&mut q);
        q.push("), (select max(t.timestamp) from audit_logs t where true");
        self.push_and(&mut q);
        q.push(")");
        q
    }

    /// The number of entries, and of those that record a failure.
    pub(super) fn total<DB: Dialect>(self) -> QueryBuilder<DB> {
        let mut q = QueryBuilder::new("select (select count(*) from audit_logs t where true");
        self.push_and(&mut q);
        q.push("), (select count(*) from audit_logs t where t.success = false");
        self.push_and(&mut q);
        q.push(")");
        q
    }

    /// The entries of each value of the column. Failures are few, so those of the resulting values are grouped.
    pub(super) fn by<DB: Dialect>(self, column: Column, first: Option<i64>) -> QueryBuilder<DB> {
        let name = column.0;
        // Failures are read from their own index, not from the index of the values.
        let of_failed = DB::without_index(&format!("t.{name}"));
        let mut q = with_values(column);
        q.push(format_args!(
            ", counted (value, entries) as materialized (
                select v.value, (select count(*) from audit_logs t where t.{name} = v.value"
        ));
        self.push_and(&mut q);
        q.push(format_args!(
            ") from found v where v.value is not null
                union all select null, (select count(*) from audit_logs t where t.{name} is null"
        ));
        self.push_and(&mut q);
        q.push(")), ranked as (select c.value, c.entries from counted c where c.entries > 0");
        push_ranking(&mut q, "c.entries", "c.value", first);
        q.push(format_args!(
            "), failed (value, failures) as materialized (
                select {of_failed}, count(*) from audit_logs t
                where t.success = false and {of_failed} in (select r.value from ranked r where r.value is not null)"
        ));
        self.push_and(&mut q);
        q.push(format_args!(
            " group by {of_failed}
                union all select null, (select count(*) from audit_logs t where t.success = false and {of_failed} is null"
        ));
        self.push_and(&mut q);
        q.push(
            "))
            select r.value, r.entries,
                coalesce((select f.failures from failed f where f.value is not distinct from r.value), 0)
            from ranked r",
        );
        push_ranking(&mut q, "r.entries", "r.value", None);
        q
    }

    /// The statement that returns true if there are enough entries for each value of the column.
    fn is_scan_faster<DB: Dialect>(self, column: Column) -> QueryBuilder<DB> {
        let mut q = with_values(column);
        q.push(format_args!(
            ", groups (number) as materialized (
                select count(*) from (select 1 from found v where v.value is not null limit {MAX_GROUPS}) few)
            select exists (select 1 from audit_logs t where (select number from groups) < {MAX_GROUPS}"
        ));
        self.push_and(&mut q);
        q.push(format_args!(
            " order by t.timestamp limit 1 offset (select {} * number from groups))",
            DB::MIN_ENTRIES_PER_GROUP
        ));
        q
    }

    fn push_and<DB: Dialect>(self, q: &mut QueryBuilder<DB>) {
        for (comparison, bound) in [(">=", self.from), ("<=", self.to)] {
            if let Some(at) = bound {
                q.push(format_args!(" and t.timestamp {comparison} "));
                DB::push_time(q, at);
            }
        }
    }
}

/// The entries of each bucket, by its start.
pub(super) fn by_bucket<DB: Dialect>(buckets: &[Bucket]) -> QueryBuilder<DB> {
    const WITHIN: &str = "t.timestamp >= p.first and t.timestamp <= p.last";
    let mut q = QueryBuilder::new(format!(
        "select p.start, (select count(*) from audit_logs t where {WITHIN}),
            (select count(*) from audit_logs t where t.success = false and {WITHIN}) from "
    ));
    DB::push_buckets(&mut q, buckets);
    q.push(" p order by 1");
    q
}

/// The start of a statement: the distinct values of the column, perhaps with null.
fn with_values<DB: Dialect>(column: Column) -> QueryBuilder<DB> {
    let values = if column == columns::USER {
        // Entries of deleted users have no user.
        "select u.id from users u".to_owned()
    } else {
        // Each value from the previous one: one index lookup for each value.
        format!(
            "select (select t.{0} from audit_logs t where t.{0} is not null order by t.{0} limit 1)
            union all
            select (select t.{0} from audit_logs t where t.{0} > v.value order by t.{0} limit 1)
            from found v where v.value is not null",
            column.0
        )
    };
    QueryBuilder::new(format!("with recursive found (value) as ({values})"))
}
