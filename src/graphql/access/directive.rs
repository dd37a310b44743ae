//! The directive `@requires`: the access rule of a field as clients see it in the schema.

use std::borrow::Cow;

use async_graphql::{
    Value,
    registry::{MetaDirectiveInvocation, Registry, location_traits::Directive_At_FIELD_DEFINITION},
};

use super::AccessRule;
use crate::{
    graphql::enums::{Role, Scope},
    model,
};

/// The directive with the arguments of a rule: `#[graphql(directive = Requires::apply(ANALYST))]`.
#[derive(Debug)]
pub struct Requires;

impl Requires {
    pub const NAME: &'static str = "requires";

    pub fn apply(rule: AccessRule) -> MetaDirectiveInvocation {
        requires::apply(rule.role.into(), rule.owner, rule.scope.map(Scope::from))
    }

    /// The rule that the arguments of the directive state; none if they state no rule.
    pub fn rule<'a>(arguments: impl Iterator<Item = (&'a str, &'a Value)>) -> Option<AccessRule> {
        let (mut role, mut owner, mut scope) = (None, None, None);
        for (name, value) in arguments {
            match (name, value) {
                ("role", Value::Enum(name)) => role = Some(name.to_lowercase().parse::<model::Role>().ok()?),
                ("owner", Value::Boolean(value)) => owner = Some(*value),
                ("scope", Value::Enum(name)) => scope = Some(name.to_lowercase().parse::<model::Scope>().ok()?),
                ("scope", Value::Null) => {}
                _ => return None,
            }
        }
        Some(AccessRule { role: role?, owner: owner?, scope })
    }
}

impl async_graphql::TypeDirective for Requires {
    fn name(&self) -> Cow<'static, str> {
        Self::NAME.into()
    }

    fn register(&self, registry: &mut Registry) {
        requires.register(registry);
    }
}

impl Directive_At_FIELD_DEFINITION for Requires {}

/// The access rule of a field. A request without valid credentials gets `UNAUTHENTICATED`; one whose role or scope does
/// not suffice gets `FORBIDDEN`. A field without this directive has no rule beyond those of the fields that lead to it.
#[async_graphql::TypeDirective(location = "FieldDefinition")]
pub fn requires(
    #[graphql(desc = "The lowest role that may select the field.")] role: Role,
    #[graphql(desc = "True if the user who owns the data may select the field with any role.")] owner: bool,
    #[graphql(desc = "The scope that an API token needs; without a scope no API token may select the field.")]
    scope: Option<Scope>,
) {
}
