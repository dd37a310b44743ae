//! The large data set: finds its missing rows and adds them in one transaction.

use std::{
    collections::HashSet,
    ops::Range,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::{
    generator::Generator,
    random::{Kind, RowRandom},
    report::Filled,
    schema::ensure_migrated,
};
use crate::{
    db::{
        Db, Tx,
        bulk::{self, InsertRow},
    },
    error::Result,
    model::{AuditLog, Credentials, Session, Timestamp},
};

/// The number of rows of each table in the complete data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// At least 1.
    pub users: u64,
    pub sessions: u64,
    pub audit_logs: u64,
}

/// The progress of a run.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// Looks for existing rows.
    Probing,
    /// Begins to add the missing rows of a table.
    Adding { table: &'static str, missing: u64 },
    /// Added this number of rows.
    Added { rows: u64 },
    /// All rows are added; creates indexes, foreign keys and statistics.
    Finishing,
    /// The table is complete, not yet committed.
    Done(Filled),
}

/// Adds the missing rows of the data set in one transaction: an error or an interruption leaves the database unchanged.
///
/// Rows are identified by their ids. Existing rows stay unchanged, also those beyond `sizes`.
pub async fn bulk(
    db: &Db,
    sizes: Sizes,
    until: Timestamp,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<Filled>> {
    ensure_migrated(db).await?;
    report(Progress::Probing);
    let generator = Generator { users: sizes.users.max(1), until };
    let users = Missing::find::<Credentials>(db, Kind::User, sizes.users).await?;
    let sessions = Missing::find::<Session>(db, Kind::Session, sizes.sessions).await?;
    let audit_logs = Missing::find::<AuditLog>(db, Kind::AuditLog, sizes.audit_logs).await?;
    if users.count + sessions.count + audit_logs.count == 0 {
        return Ok(vec![
            users.filled::<Credentials>(Duration::ZERO),
            sessions.filled::<Session>(Duration::ZERO),
            audit_logs.filled::<AuditLog>(Duration::ZERO),
        ]);
    }
    let mut tx = db.begin().await?;
    bulk::apply_settings(&mut tx).await?;
    let filled = vec![
        fill(&mut tx, &users, |index| generator.user(index), report).await?,
        fill(&mut tx, &sessions, |index| generator.session(index), report).await?,
        fill(&mut tx, &audit_logs, |index| generator.audit_log(index), report).await?,
    ];
    tx.commit().await?;
    bulk::vacuum(db, filled.iter().filter(|table| table.added > 0).map(|table| table.table)).await;
    Ok(filled)
}

/// Below this number of rows, recreating the indexes costs more than extending them.
const MIN_ROWS_FOR_REINDEX: u64 = 5_000;

async fn fill<R: InsertRow>(
    tx: &mut Tx,
    missing: &Missing,
    make: impl Fn(u64) -> R,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<Filled> {
    let started = Instant::now();
    if missing.count > 0 {
        report(Progress::Adding { table: R::TABLE, missing: missing.count });
        // New indexes contain all rows: recreating them is faster if the new rows are a large part.
        let reindex = missing.count >= MIN_ROWS_FOR_REINDEX && missing.count >= missing.table_rows / 4;
        let dropped = if reindex { Some(bulk::drop_indexes::<R>(tx).await?) } else { None };
        bulk::copy_in(tx, missing.in_order().map(make), &mut |rows| report(Progress::Added { rows })).await?;
        report(Progress::Finishing);
        if let Some(dropped) = dropped {
            bulk::create_indexes(tx, dropped).await?;
        }
        bulk::analyze::<R>(tx).await?;
    }
    let filled = missing.filled::<R>(started.elapsed());
    report(Progress::Done(filled));
    Ok(filled)
}

/// The row indexes that are missing in a table.
#[derive(Debug)]
struct Missing {
    kind: Kind,
    ranges: Vec<Range<u64>>,
    count: u64,
    wanted: u64,
    /// All rows of the table.
    table_rows: u64,
}

/// The number of ids per statement, and the number of concurrent statements.
const PROBE: u64 = 20_000;
const PROBES: usize = 4;

impl Missing {
    /// Looks for every id, so that deleted rows are found wherever they were. An empty table needs no statement.
    async fn find<R: InsertRow>(db: &Db, kind: Kind, wanted: u64) -> Result<Self> {
        let mut missing = Self { wanted, table_rows: bulk::count::<R>(db).await?, ..Self::none(kind) };
        if missing.table_rows == 0 {
            missing.add(0..wanted);
            return Ok(missing);
        }
        let parts = (0..wanted.div_ceil(PROBE)).map(|part| part * PROBE..wanted.min((part + 1) * PROBE));
        let mut probes = stream::iter(parts.map(|part| probe::<R>(db, kind, part))).buffered(PROBES);
        while let Some(absent) = probes.try_next().await? {
            for index in absent {
                missing.add(index..index + 1);
            }
        }
        Ok(missing)
    }

    fn none(kind: Kind) -> Self {
        Self { kind, ranges: Vec::new(), count: 0, wanted: 0, table_rows: 0 }
    }

    /// The missing indexes in the order of insertion; sorted in parts of 64 MiB.
    fn in_order(&self) -> impl Iterator<Item = u64> {
        const SORTED: usize = 1 << 22;
        let mut indexes = self.ranges.iter().flat_map(Clone::clone);
        std::iter::from_fn(move || {
            let part = indexes.by_ref().take(SORTED);
            let mut part: Vec<_> = part.map(|index| (Generator::position(self.kind, index), index)).collect();
            part.sort_unstable();
            (!part.is_empty()).then_some(part)
        })
        .flatten()
        .map(|(_, index)| index)
    }

    /// Adds indexes, in ascending order; adjacent ones become one range.
    fn add(&mut self, more: Range<u64>) {
        self.count += more.end - more.start;
        match self.ranges.last_mut() {
            Some(last) if last.end == more.start => last.end = more.end,
            _ => self.ranges.push(more),
        }
    }

    fn filled<R: InsertRow>(&self, took: Duration) -> Filled {
        Filled { table: R::TABLE, found: self.wanted - self.count, added: self.count, took }
    }
}

/// The missing indexes of this part, in ascending order.
async fn probe<R: InsertRow>(db: &Db, kind: Kind, part: Range<u64>) -> Result<Vec<u64>> {
    let ids: Vec<Uuid> = part.clone().map(|index| RowRandom::of(kind, index).uuid()).collect();
    let found: HashSet<Uuid> = bulk::existing::<R>(db, &ids).await?.into_iter().map(Uuid::from).collect();
    Ok(part.zip(ids).filter(|(_, id)| !found.contains(id)).map(|(index, _)| index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_indexes_become_one_range() {
        let mut missing = Missing { wanted: 10, ..Missing::none(Kind::Session) };
        for index in [0, 1, 2, 5, 6, 9] {
            missing.add(index..index + 1);
        }
        assert_eq!(missing.ranges, [0..3, 5..7, 9..10]);
        let mut indexes: Vec<_> = missing.in_order().collect();
        assert!(indexes.is_sorted_by_key(|&index| RowRandom::of(Kind::Session, index).uuid()));
        indexes.sort_unstable();
        assert_eq!(indexes, [0, 1, 2, 5, 6, 9]);
        let filled = missing.filled::<Session>(Duration::ZERO);
        assert_eq!((filled.table, filled.found, filled.added), ("sessions", 4, 6));
    }
}
