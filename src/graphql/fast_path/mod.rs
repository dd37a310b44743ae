//! The fast path: a list of rows of which only leaf fields, users and lists of such rows are selected is written straight
//! to JSON, without a future and a value for each field. It reads the same field definitions as the ordinary path, which
//! resolves every other list, and every error. See `docs/decisions/004-fast-path.md`.

mod plan;
mod selected;

use std::sync::Arc;

use async_graphql::{ContextSelectionSet, Value};

use self::plan::Rows;
pub use self::plan::page_plan;
use super::{
    execution::{Json, RequestContext},
    field::Scope,
    paging::ConnectionNode,
};
use crate::{db::query::Order, error::Result};

/// Writes the rows of a page, as `nodes` or as `edges`; none if the ordinary path has to. An error sends the list to the
/// ordinary path too, which reads again, except if the response exceeds its limit.
pub async fn write<T: ConnectionNode>(
    rows: &[T],
    order: Order,
    ctx: &ContextSelectionSet<'_>,
    edges: bool,
) -> Option<Result<Value>> {
    let request = &**ctx.data_unchecked::<Arc<RequestContext>>();
    if !request.fast_path_eligible {
        tracing::trace!(target: "request_path", "fork: resolve");
        return None;
    }
    let scope = Scope { ctx, principal: request.principal() };
    let plan = Rows::<T>::of(scope, &ctx.item.node, edges)?;
    tracing::trace!(target: "request_path", "fork: write");
    let rows: Vec<&T> = rows.iter().collect();
    let meter = request.db.meter();
    let loaded = match plan.load(request, &rows).await {
        Ok(loaded) => loaded,
        Err(error) => return meter.is_exhausted().then_some(Err(error)),
    };
    let mut json = Json::with_limit(meter.bytes_left());
    plan.write(&mut json, &rows, order, &loaded);
    Some(meter.answer(json.len()).map(|()| json.into_value()))
}
