//! The arguments of list fields: `first`, `after`, `last`, `before`, `filter`, `orderBy`.

use async_graphql::{
    Context, InputType, SelectionField, ServerResult,
    indexmap::IndexMap,
    registry::{Deprecation, MetaInputValue, Registry},
};

use super::{ConnectionNode, cursor};
use crate::{
    db::query::{Column, ListQuery, Order, PageRequest},
    error::{Error, Result},
    graphql::{
        inputs::SizeLimit,
        page_size::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE},
    },
};

/// The values of the arguments.
struct ListArguments<T: ConnectionNode> {
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: Option<T::Filter>,
    order_by: Option<T::Order>,
}

/// Registers the arguments of a list of `T`.
pub fn list_arguments<T: ConnectionNode>(registry: &mut Registry) -> IndexMap<String, MetaInputValue> {
    let mut arguments = vec![
        argument::<i32>(
            registry,
            "first",
            "The page size, from the start or after `after`: 1 to 100; the default is 20.",
        ),
        argument::<String>(registry, "after", "Lists the rows after this cursor. Not with `last` or `before`."),
        argument::<i32>(registry, "last", "The page size, from the end or before `before`: 1 to 100."),
        argument::<String>(registry, "before", "Lists the rows before this cursor. Not with `first` or `after`."),
    ];
    if T::FILTERABLE {
        arguments.push(argument::<T::Filter>(registry, "filter", "The filter; without a filter all rows are listed."));
        arguments.push(argument::<T::Order>(registry, "orderBy", "The order; by default the newest rows come first."));
    }
    arguments.into_iter().map(|argument| (argument.name.clone(), argument)).collect()
}

fn argument<A: InputType>(registry: &mut Registry, name: &str, description: &str) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ty: Option::<A>::create_type_info(registry),
        deprecation: Deprecation::NoDeprecated,
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

/// The query that the arguments and the selection of the current field state.
pub fn list_query<T: ConnectionNode>(ctx: &Context<'_>) -> ServerResult<ListQuery> {
    let arguments = ListArguments::<T> {
        first: value(ctx, "first")?,
        after: value(ctx, "after")?,
        last: value(ctx, "last")?,
        before: value(ctx, "before")?,
        filter: value(ctx, "filter")?,
        order_by: value(ctx, "orderBy")?,
    };
    let query = arguments.query(pruned_columns::<T>(ctx));
    query.map_err(|error| ctx.set_error_path(async_graphql::Error::from(error).into_server_error(ctx.item.pos)))
}

fn value<A: InputType>(ctx: &Context<'_>, name: &str) -> ServerResult<Option<A>> {
    ctx.param_value(name, None).map(|(_, value)| value).map_err(|error| ctx.set_error_path(error))
}

impl<T: ConnectionNode> ListArguments<T> {
    fn query(self, pruned_columns: Vec<Column>) -> Result<ListQuery> {
        let order = self.order_by.map_or(Order { column: T::NEWEST_FIRST, descending: true }, Into::into);
        let (field, count, cursor_field, cursor, conflict) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(conflicting("first", "last")),
            (first, None) if first.is_some() || self.before.is_none() => {
                ("first", first, "after", self.after, self.before.map(|_| "before"))
            }
            (_, last) => ("last", last, "before", self.before, self.after.map(|_| "after")),
        };
        if let Some(conflict) = conflict {
            return Err(conflicting(field, conflict));
        }
        let limit = match count {
            None => DEFAULT_PAGE_SIZE,
            Some(count) => u16::try_from(count)
                .ok()
                .filter(|count| (1..=MAX_PAGE_SIZE).contains(count))
                .ok_or_else(|| Error::bad_input(field, format!("`{field}` must be between 1 and {MAX_PAGE_SIZE}")))?,
        };
        let from = cursor.map(|cursor| cursor::decode(&T::type_name(), order, cursor_field, &cursor)).transpose()?;
        let page = PageRequest { order, limit, from, backward: field == "last", inclusive: false };
        Ok(ListQuery { filter: SizeLimit::build(self.filter)?, page, pruned_columns })
    }
}

fn conflicting(given: &str, conflict: &'static str) -> Error {
    Error::bad_input(conflict, format!("`{given}` cannot be combined with `{conflict}`"))
}

/// The optional columns whose field is not selected.
fn pruned_columns<T: ConnectionNode>(ctx: &Context<'_>) -> Vec<Column> {
    if T::OPTIONAL_COLUMNS.is_empty() {
        return Vec::new();
    }
    let mut columns = T::OPTIONAL_COLUMNS.to_vec();
    let mut keep_selected = |field: SelectionField<'_>| columns.retain(|(name, _)| *name != field.name());
    for field in ctx.field().selection_set() {
        match field.name() {
            "nodes" => field.selection_set().for_each(&mut keep_selected),
            "edges" => field
                .selection_set()
                .filter(|field| field.name() == "node")
                .for_each(|node| node.selection_set().for_each(&mut keep_selected)),
            _ => {}
        }
    }
    columns.into_iter().map(|(_, column)| column).collect()
}
