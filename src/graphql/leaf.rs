//! The quick way through rows of which only plain fields are selected: no future per field, but one object at once.
//! Whatever it does not know (arguments, directives, fragments, nested selections, guards) goes the ordinary way.
//! `make bench-micro` (resolve, query) shows what it is worth.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection},
    registry::Registry,
};

/// A type with fields that can be told at once: no guard, no argument, nothing to load.
pub trait Leaves: OutputType {
    /// The field's value; `None` sends the whole object the ordinary way.
    fn leaf(&self, field: &str) -> Option<Value>;
}

/// A row that takes the quick way where it can.
pub struct Row<'a, T>(pub &'a T);

impl<T: Leaves> Row<'_, T> {
    fn at_once(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        let selections = &ctx.item.node.items;
        let mut object = IndexMap::with_capacity(selections.len());
        for selection in selections {
            let Selection::Field(field) = &selection.node else { return None };
            let field = &field.node;
            if !(field.arguments.is_empty() && field.directives.is_empty() && field.selection_set.node.items.is_empty())
            {
                return None;
            }
            let value = match field.name.node.as_str() {
                "__typename" => Value::String(T::type_name().into_owned()),
                name => self.0.leaf(name)?,
            };
            object.insert(field.response_key().node.clone(), value);
        }
        Some(Value::Object(object))
    }
}

impl<T: Leaves> OutputType for Row<'_, T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match self.at_once(ctx) {
            Some(object) => Ok(object),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

/// An optional value, or null.
pub fn or_null<T>(value: Option<T>) -> Value
where
    Value: From<T>,
{
    value.map_or(Value::Null, Value::from)
}
