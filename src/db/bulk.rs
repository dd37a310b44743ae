//! Bulk loading: finds the rows that exist, copies in the others, and drops the table's indexes in the meantime. All of it
//! happens in one transaction of the caller.

use sqlx::{AssertSqlSafe, QueryBuilder, query_as, query_scalar, raw_sql};
use uuid::Uuid;

pub(crate) use super::row::InsertRow;
use super::{
    Db, Tx,
    dialect::{Dialect, bulk},
    run,
};
use crate::{
    error::{Error, Result},
    model::AnyId,
};

/// The number of rows of the table.
pub(crate) async fn count<R: InsertRow>(db: &Db) -> Result<u64> {
    let text = format!("select count(*) from {}", R::TABLE);
    let count: i64 = run!(db, connection => query_scalar(AssertSqlSafe(text)).fetch_one(connection).await)?;
    u64::try_from(count).map_err(Error::internal)
}

/// The ids of this list that the table contains, in no order.
pub(crate) async fn existing<R: InsertRow>(db: &Db, ids: &[Uuid]) -> Result<Vec<AnyId>> {
    run!(db, connection => {
        let mut q = QueryBuilder::new(format!("select t.id from {} t where t.id ", R::TABLE));
        Dialect::push_one_of_ids(&mut q, ids);
        q.build_query_scalar().fetch_all(connection).await
    })
}

/// Adds all rows, and reports the number of rows of each batch to `added`. A row that violates a constraint is an error
/// that names it.
pub(crate) async fn copy_in<R: InsertRow>(
    tx: &mut Tx,
    rows: impl Iterator<Item = R>,
    added: &mut (dyn FnMut(u64) + Send),
) -> Result<()> {
    bulk::copy_in(tx, rows, added).await.map_err(|cause| bulk::copy_error(R::TABLE, cause))
}

/// The dropped indexes of a table, to be created again before the transaction ends.
#[derive(Debug)]
pub(crate) struct DroppedIndexes {
    table: &'static str,
    /// The statements that drop and create each index or key, as the database's catalogue has them.
    statements: Vec<(String, String)>,
}

/// Drops the table's indexes, keys and foreign keys that can be dropped: creating an index at the end is several times
/// faster than extending it row by row. The table is locked until the transaction ends. Nothing is dropped from a table of
/// another role, as it could not be created again.
pub(crate) async fn drop_indexes<R: InsertRow>(tx: &mut Tx) -> Result<DroppedIndexes> {
    let dropped = DroppedIndexes { table: R::TABLE, statements: index_statements(tx, R::TABLE).await? };
    for (drop, _) in &dropped.statements {
        run(tx, drop.clone()).await.map_err(|cause| bulk::copy_error(R::TABLE, cause))?;
    }
    Ok(dropped)
}

/// Creates the dropped indexes again, under their names, and verifies them. A row that violates a constraint is an error.
pub(crate) async fn create_indexes(tx: &mut Tx, dropped: DroppedIndexes) -> Result<()> {
    for (_, create) in &dropped.statements {
        run(tx, create.clone()).await.map_err(|cause| bulk::copy_error(dropped.table, cause))?;
    }
    if index_statements(tx, dropped.table).await? == dropped.statements {
        Ok(())
    } else {
        Err(Error::internal(format!("the indexes of {} differ from those before; nothing was changed", dropped.table)))
    }
}

/// Updates the planner's statistics of the table.
pub(crate) async fn analyze<R: InsertRow>(tx: &mut Tx) -> Result<()> {
    Ok(run(tx, format!("analyze {}", R::TABLE)).await?)
}

/// Updates the visibility map of the tables after the commit, so that index-only scans are fast. A failure is only logged.
pub(crate) async fn vacuum(db: &Db, tables: impl Iterator<Item = &'static str>) {
    for table in tables {
        let Some(vacuum) = db.texts().vacuum else { return };
        let text = format!("{vacuum} {table}");
        let done: Result<u64> = run!(db, connection => raw_sql(AssertSqlSafe(text))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()));
        if let Err(error) = done {
            tracing::warn!(error = error.chain(), table, "the table could not be vacuumed");
        }
    }
}

/// Applies the settings of the database for bulk loading to the transaction.
pub(crate) async fn apply_settings(tx: &mut Tx) -> Result<()> {
    for setting in tx.texts().bulk_settings {
        run(tx, (*setting).to_owned()).await?;
    }
    Ok(())
}

async fn index_statements(tx: &mut Tx, table: &str) -> Result<Vec<(String, String)>> {
    let text = tx.texts().index_statements;
    run!(tx, connection => query_as(text).bind(table).fetch_all(connection).await)
}

/// Runs a statement of the database's catalogue or of this program's constants.
async fn run(tx: &mut Tx, statement: String) -> sqlx::Result<()> {
    bulk::run(tx, statement).await
}
