//! The ordinary path of field definitions: an object type that `#[graphql(flatten)]` merges into the type they belong to.

use std::borrow::Cow;

use async_graphql::{
    CacheControl, ContainerType, Context, ContextSelectionSet, OutputType, Positioned, ServerResult, TypeDirective,
    Value,
    indexmap::IndexMap,
    parser::types::Field as SelectedField,
    registry::{Deprecation, MetaField, MetaType, MetaTypeId, Registry},
    resolver_utils::resolve_container,
};
use uuid::Uuid;

use super::{Field, FieldDefinitions, Resolver};
use crate::{
    error::{Error, Result},
    graphql::{access::Requires, execution::ContextExt},
    model::User,
};

/// The defined fields of a row.
pub struct DefinedFields<'a, T>(pub &'a T);

impl<T: FieldDefinitions> ContainerType for DefinedFields<'_, T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(field) = T::field(ctx.item.node.name.node.as_str()) else { return Ok(None) };
        match field.resolve(self.0, ctx).await {
            Err(error) if field.is_nullable() => {
                ctx.add_error(error);
                Ok(Some(Value::Null))
            }
            result => result.map(Some),
        }
    }
}

impl<T: FieldDefinitions> OutputType for DefinedFields<'_, T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Fields", T::type_name()).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| MetaType::Object {
            name: Self::type_name().into_owned(),
            description: None,
            fields: T::FIELDS.iter().map(|field| (field.name.to_owned(), field.meta(registry))).collect(),
            cache_control: CacheControl::default(),
            extends: false,
            shareable: false,
            resolvable: true,
            inaccessible: false,
            interface_object: false,
            tags: Vec::new(),
            keys: None,
            visible: None,
            is_subscription: false,
            rust_typename: Some(std::any::type_name::<Self>()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<SelectedField>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<T: FieldDefinitions> Field<T> {
    async fn resolve(&self, row: &T, ctx: &Context<'_>) -> ServerResult<Value> {
        or_error(ctx, self.check(row, ctx.request().principal()))?;
        match &self.resolver {
            Resolver::Leaf(leaf) => {
                let value = leaf.value(row);
                if leaf.is_optional() {
                    or_error(ctx, ctx.request().db.meter().answer(value.counted_bytes()))?;
                }
                Ok(value.into())
            }
            // Boxed: otherwise the futures of leaf fields would be as large as those of lists.
            Resolver::User(read) => match read(row) {
                Some(id) => Box::pin(resolve_user(ctx, id.into())).await,
                None => Ok(Value::Null),
            },
            Resolver::List(list, of) => list.resolve(ctx, of(row)).await,
        }
    }

    fn meta(&self, registry: &mut Registry) -> MetaField {
        let (ty, args) = match &self.resolver {
            Resolver::Leaf(leaf) => (leaf.type_info(registry), IndexMap::new()),
            Resolver::User(_) => (<Option<User> as OutputType>::create_type_info(registry), IndexMap::new()),
            Resolver::List(list, _) => (list.type_info(registry), list.arguments(registry)),
        };
        let directive_invocations = self.rule.into_iter().map(|rule| {
            Requires.register(registry);
            Requires::apply(rule)
        });
        MetaField {
            name: self.name.to_owned(),
            description: Some(self.description.to_owned()),
            args,
            ty: if self.is_nullable() { ty.trim_end_matches('!').to_owned() } else { ty },
            deprecation: Deprecation::NoDeprecated,
            cache_control: CacheControl::default(),
            external: false,
            requires: None,
            provides: None,
            visible: None,
            shareable: false,
            inaccessible: false,
            tags: Vec::new(),
            override_from: None,
            compute_complexity: None,
            directive_invocations: directive_invocations.collect(),
            requires_scopes: Vec::new(),
        }
    }
}

async fn resolve_user(ctx: &Context<'_>, id: Uuid) -> ServerResult<Value> {
    let user = or_error(ctx, ctx.request().loaders.users.load(id).await)?;
    user.resolve(&ctx.with_selection_set(&ctx.item.node.selection_set), ctx.item).await
}

/// The error of a resolver, with its place in the document and in the response.
fn or_error<T>(ctx: &Context<'_>, result: Result<T>) -> ServerResult<T> {
    result.map_err(|error: Error| ctx.set_error_path(async_graphql::Error::from(error).into_server_error(ctx.item.pos)))
}
