//! The quick way through lists: where only plain fields are selected, of the rows, their users and their own lists, the list
//! is written as JSON text at once, without a future and a value for each field. Whatever it does not know goes the
//! ordinary way, with the same answer. See decision 004; `benches/inside/micro.rs` shows what it is worth.

mod plan;
mod selected;

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContextSelectionSet, InputType, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry, resolver_utils::resolve_list,
};

use self::plan::{Rows, Scope};
use super::{
    connection::{Edge, Listed},
    execution::{Json, RequestContext},
};
use crate::{
    auth::Principal,
    db::query::{ListQuery, Order, Page},
    error::Result,
    model::UserId,
};

/// How a field of a row is written.
pub type Leaf<T> = fn(&T, &mut Json);

/// A type with fields that can be written at once: no argument, nothing to load.
pub trait Leaves: OutputType {
    /// How the field is written for this caller; `None` sends the whole list the ordinary way.
    fn leaf(field: &str, caller: &Principal) -> Option<Leaf<Self>>
    where
        Self: Sized;

    /// Whether the field `user` leads to whom the row belongs to.
    const HAS_OWNER: bool = false;

    /// Whom the row belongs to.
    fn owner(&self) -> Option<UserId> {
        None
    }

    /// Whether the row is a user, whose lists this caller may have whoever it is.
    fn is_parent(_caller: &Principal) -> bool {
        false
    }

    /// The user that the row is.
    fn as_parent(&self) -> Option<UserId> {
        None
    }
}

/// A type that users have lists of.
pub trait OfUsers: Listed<Filter: InputType, Order: InputType> {
    /// A page for each of the users, in their order.
    fn fetch_each(
        request: &RequestContext,
        users: &[UserId],
        list_query: &Arc<ListQuery>,
    ) -> impl Future<Output = Result<Vec<Arc<Page<Self>>>>> + Send;
}

/// The rows of a page.
pub struct Nodes<'a, T>(pub &'a [T], pub Order);

/// The rows of a page with their cursors.
pub struct Edges<'a, T>(pub &'a [T], pub Order);

/// The list as text, if it is plain. What goes wrong is said by the ordinary way, which asks again, but for a list that
/// would make the answer too large.
async fn at_once<T: Listed>(
    rows: &[T],
    order: Order,
    ctx: &ContextSelectionSet<'_>,
    edges: bool,
) -> Option<Result<Value>> {
    let request = &**ctx.data_unchecked::<Arc<RequestContext>>();
    if !request.fast_path_eligible {
        return None;
    }
    let scope = Scope { ctx, caller: request.principal() };
    let plan = Rows::<T>::of(&scope, &ctx.item.node, edges)?;
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

/// The types of lists are those of vectors.
macro_rules! list_type {
    ($name:ident of $item:ty: $edges:literal, $self:ident => $items:expr) => {
        impl<T: Listed> OutputType for $name<'_, T> {
            fn type_name() -> Cow<'static, str> {
                Vec::<$item>::type_name()
            }

            fn qualified_type_name() -> String {
                Vec::<$item>::qualified_type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                Vec::<$item>::create_type_info(registry)
            }

            async fn resolve(&$self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
                match Box::pin(at_once($self.0, $self.1, ctx, $edges)).await {
                    Some(list) => list.map_err(|error| {
                        ctx.set_error_path(async_graphql::Error::from(error).into_server_error(field.pos))
                    }),
                    None => resolve_list(ctx, field, $items, Some($self.0.len())).await,
                }
            }
        }
    };
}

list_type!(Nodes of T: false, self => self.0);
list_type!(Edges of Edge<'static, T>: true, self => self.0.iter().map(|row| Edge(row, self.1)));
