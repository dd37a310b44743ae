//! The check of root fields.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry, resolver_utils::resolve_container,
};

use super::AccessRules;
use crate::{error::Result, graphql::execution::ContextExt, model::UserId};

/// A root type whose fields are resolved only if the principal passes their access rule. A refused nullable field is
/// null and leaves its siblings; the library's own guards would make the whole response null.
#[derive(Debug, Default)]
pub struct Guarded<T>(pub T);

/// Checks the rule of the current root field for this owner, which [`Guarded`] did not know.
pub fn check_owner(ctx: &Context<'_>, owner: UserId) -> Result<()> {
    let rules = ctx.data_unchecked::<Arc<AccessRules>>();
    let field = rules.root_field("Mutation", ctx.item.node.name.node.as_str());
    field.rule.map_or(Ok(()), |rule| rule.check_for(ctx.request().principal(), owner))
}

impl<T: ObjectType> ContainerType for Guarded<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let rules = ctx.data_unchecked::<Arc<AccessRules>>();
        let field = rules.root_field(&T::type_name(), ctx.item.node.name.node.as_str());
        let Err(refusal) = field.check(ctx.request().principal()) else {
            return self.0.resolve_field(ctx).await;
        };
        let error = async_graphql::Error::from(refusal).into_server_error(ctx.item.pos);
        let error = ctx.set_error_path(error);
        if !field.nullable {
            return Err(error);
        }
        ctx.add_error(error);
        Ok(Some(Value::Null))
    }
}

impl<T: ObjectType> OutputType for Guarded<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<T: ObjectType> ObjectType for Guarded<T> {}
