//! Removes unused built-in scalars. The library lists all built-in scalars in introspection; the specification lists only
//! those that a field or argument has, and tools that compare schemas report the difference.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::Field,
    registry::{MetaType, Registry},
};

const SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

/// Not a type: its registration, after all types, removes the scalars that none of them has.
#[derive(Debug)]
pub struct WithoutUnusedScalars;

impl OutputType for WithoutUnusedScalars {
    fn type_name() -> Cow<'static, str> {
        bool::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        for scalar in SCALARS {
            if !registry.types.values().any(|ty| has(ty, scalar)) {
                registry.types.remove(scalar);
            }
        }
        bool::type_name().into_owned()
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}

/// Returns true if a field or an argument of the type has the scalar as its type.
fn has(ty: &MetaType, scalar: &str) -> bool {
    let is_it = |ty: &str| ty.trim_matches(['[', ']', '!']) == scalar;
    match ty {
        MetaType::Object { fields, .. } | MetaType::Interface { fields, .. } => {
            fields.values().any(|field| is_it(&field.ty) || field.args.values().any(|argument| is_it(&argument.ty)))
        }
        MetaType::InputObject { input_fields, .. } => input_fields.values().any(|field| is_it(&field.ty)),
        MetaType::Scalar { .. } | MetaType::Union { .. } | MetaType::Enum { .. } => false,
    }
}
