//! `AccessRule`: the guards as data.

use std::sync::OnceLock;

use async_graphql::{
    Enum, SimpleObject,
    parser::{
        parse_schema,
        types::{FieldDefinition, TypeKind, TypeSystemDefinition},
    },
};

use super::Role;
use crate::{graphql::Api, model};

/// What a field asks of its caller.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessRule {
    /// The field, as a schema coordinate: `Type.field`.
    coordinate: String,
    /// The roles that may have it, whomever the data belongs to.
    roles: Vec<Role>,
    /// Whether the user whom the data belongs to may have it with any role.
    owner: bool,
    /// The scope that an API token needs; null where no API token may have it.
    scope: Option<Scope>,
}

/// What an API token may be used for, within what its owner may do.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "model::Scope")]
pub enum Scope {
    /// Reads what the owner may read.
    Read,
    /// Writes conversation sessions.
    WriteSessions,
    /// Records audit log entries.
    WriteAudit,
    /// Manages users, when the owner is an admin. Creating or promoting an admin and resetting passwords take a login session.
    ManageUsers,
}

/// All rules, read once from the `@requires` directives of the schema itself.
pub fn access_matrix() -> &'static [AccessRule] {
    static MATRIX: OnceLock<Vec<AccessRule>> = OnceLock::new();
    MATRIX.get_or_init(|| {
        let document = parse_schema(Api::default().sdl());
        let definitions = document.map(|document| document.definitions).unwrap_or_default();
        let mut rules = Vec::new();
        for definition in definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let TypeKind::Object(object) = &ty.node.kind else { continue };
            rules.extend(object.fields.iter().filter_map(|field| rule(&ty.node.name.node, &field.node)));
        }
        rules
    })
}

fn rule(parent: &str, field: &FieldDefinition) -> Option<AccessRule> {
    let requires = field.directives.iter().find(|directive| directive.node.name.node == "requires")?;
    let argument = |name| requires.node.get_argument(name).map(|value| value.node.to_string());
    let least = argument("role")?;
    let roles: Vec<_> =
        model::Role::ALL.iter().copied().skip_while(|role| role.as_str().to_uppercase() != least).collect();
    Some(AccessRule {
        coordinate: format!("{parent}.{}", field.name.node),
        roles: roles.into_iter().map(Role::from).collect(),
        owner: argument("owner").is_some_and(|owner| owner == "true"),
        scope: argument("scope").and_then(|scope| scope.to_lowercase().parse().ok()).map(model::Scope::into),
    })
}
