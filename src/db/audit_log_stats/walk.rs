//! Counting within a span of time by walking indexes. Each group is a range of an index that begins with what is counted
//! by and goes on with the time; a database counts such a range without looking into its entries, where putting each
//! entry into its group takes two to forty times as long.

use sqlx::QueryBuilder;

use super::push_ranking;
use crate::{
    db::{
        Db,
        audit_logs::columns,
        dialect::Dialect,
        query::filter::{Column, Filter, Predicate, TimeComparison},
        run,
    },
    error::Result,
    model::{Interval, Timestamp},
};

/// More groups than this are not walked, nor counted to decide about it.
const MAX_GROUPS: u16 = 20_000;

/// From one time to another, both included, as far as there are any.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// The part of a span that lies in one interval.
#[derive(Clone, Copy, Debug)]
pub(in crate::db) struct Piece {
    /// Where the interval begins.
    pub start: Timestamp,
    /// The first and the last moment of the part.
    pub first: Timestamp,
    pub last: Timestamp,
}

/// The earliest and the latest time that a filter lets through, as far as it says so on its first level.
#[must_use]
pub fn bounds(filter: Option<&Filter>) -> (Option<Timestamp>, Option<Timestamp>) {
    let mut span = Span::default();
    if let Some(Filter::All(parts)) = filter {
        for part in parts {
            span.narrow(part);
        }
    }
    (span.from, span.to)
}

/// The span that the filter is, if it is one and walking over the groups of this column is likely to be quicker than
/// putting each entry into its group: when there are many entries for each group.
pub(super) async fn if_it_pays(db: &Db, filter: Option<&Filter>, column: Column) -> Result<Option<Span>> {
    let Some(span) = Span::of(filter) else { return Ok(None) };
    let pays: bool = run!(db, connection => span.pays(column).build_query_scalar().fetch_one(connection).await)?;
    Ok(pays.then_some(span))
}

impl Span {
    /// `None` when the filter asks for more than the time.
    pub(super) fn of(filter: Option<&Filter>) -> Option<Self> {
        let mut span = Self::default();
        match filter {
            None => Some(span),
            Some(Filter::All(parts)) => parts.iter().all(|part| span.narrow(part)).then_some(span),
            Some(_) => None,
        }
    }

    /// Takes in a bound of the time; `false` when the filter is something else.
    fn narrow(&mut self, filter: &Filter) -> bool {
        let Filter::Column(column, Predicate::Time(order, at)) = filter else { return false };
        if *column != columns::TIMESTAMP {
            return false;
        }
        let from = |at| self.from.max(Some(at));
        let to = |at: Timestamp| Some(self.to.map_or(at, |to| to.min(at)));
        match order {
            TimeComparison::AtOrAfter => self.from = from(*at),
            // Nothing is later; and there is no time to begin at.
            TimeComparison::After if *at >= Timestamp::MAX => return false,
            TimeComparison::After => self.from = from(at.plus_micros(1)),
            TimeComparison::AtOrBefore => self.to = to(*at),
            TimeComparison::Before => self.to = to(at.minus_micros(1)),
        }
        true
    }

    /// The parts of the span, from the first entry to the last where it has an open end; `None` when there are more than
    /// `most`.
    pub(super) async fn pieces(self, db: &Db, interval: Interval, most: usize) -> Result<Option<Vec<Piece>>> {
        let Some((from, to)) = self.ends(db).await? else { return Ok(Some(Vec::new())) };
        let Some(starts) = interval.starts(from, to, most) else { return Ok(None) };
        let ends = starts.iter().skip(1).map(|next| next.minus_micros(1)).chain([to]);
        let pieces =
            starts.iter().zip(ends).map(|(start, end)| Piece { start: *start, first: from.max(*start), last: end });
        Ok(Some(pieces.collect()))
    }

    /// Where the span begins and ends, which is at an entry where it is open; `None` when that is none.
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

    /// All entries, and those that record a failure.
    pub(super) fn total<DB: Dialect>(self) -> QueryBuilder<DB> {
        let mut q = QueryBuilder::new("select (select count(*) from audit_logs t where true");
        self.push_and(&mut q);
        q.push("), (select count(*) from audit_logs t where t.success = false");
        self.push_and(&mut q);
        q.push(")");
        q
    }

    /// The entries with each value of the column. Failures are few: those of the values that come out are put into groups.
    pub(super) fn by<DB: Dialect>(self, column: Column, first: Option<i64>) -> QueryBuilder<DB> {
        let name = column.0;
        // Failures are read from their own index, not from the many entries of each value.
        let of_failed = DB::loose(&format!("t.{name}"));
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

    /// Whether there are many entries for each value of the column.
    fn pays<DB: Dialect>(self, column: Column) -> QueryBuilder<DB> {
        let mut q = with_values(column);
        q.push(format_args!(
            ", groups (number) as materialized (
                select count(*) from (select 1 from found v where v.value is not null limit {MAX_GROUPS}) few)
            select exists (select 1 from audit_logs t where (select number from groups) < {MAX_GROUPS}"
        ));
        self.push_and(&mut q);
        q.push(format_args!(
            " order by t.timestamp limit 1 offset (select {} * number from groups))",
            DB::ENTRIES_FOR_A_WALK
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

/// The entries of each piece, by its start.
pub(super) fn each_of<DB: Dialect>(pieces: &[Piece]) -> QueryBuilder<DB> {
    const WITHIN: &str = "t.timestamp >= p.first and t.timestamp <= p.last";
    let mut q = QueryBuilder::new(format!(
        "select p.start, (select count(*) from audit_logs t where {WITHIN}),
            (select count(*) from audit_logs t where t.success = false and {WITHIN}) from "
    ));
    DB::push_pieces(&mut q, pieces);
    q.push(" p order by 1");
    q
}

/// The beginning of a statement, and the values of the column that occur, the absent one maybe too.
fn with_values<DB: Dialect>(column: Column) -> QueryBuilder<DB> {
    let values = if column == columns::USER {
        // Whoever is not there any more is in no entry either.
        "select u.id from users u".to_owned()
    } else {
        // Each from the one before: a step for each value, not for each entry.
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
