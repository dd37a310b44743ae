//! All access rules, read from the schema.

use std::collections::HashMap;

use async_graphql::{
    SimpleObject,
    parser::types::{FieldDefinition, TypeKind, TypeSystemDefinition},
};

use super::{AccessRule, Requires};
use crate::{
    auth::Principal,
    error::Result,
    graphql::enums::{Role, Scope},
    model,
};

const ROOT_TYPES: [&str; 2] = ["Query", "Mutation"];
/// Root fields without a rule: their arguments hold the credentials.
const PUBLIC: [&str; 2] = ["Mutation.login", "Mutation.refreshToken"];
/// Root fields that a principal may select before a required password change.
const BEFORE_PASSWORD_CHANGE: [&str; 3] = ["Query.me", "Mutation.logout", "Mutation.changePassword"];

/// The access rule of a field.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "AccessRule")]
pub struct AccessMatrixEntry {
    /// The field, as a schema coordinate: `Type.field`.
    coordinate: String,
    /// The roles that may select the field for the data of any user.
    roles: Vec<Role>,
    /// True if the user who owns the data may select the field with any role.
    owner: bool,
    /// The scope that an API token needs; null if no API token may select the field.
    scope: Option<Scope>,
}

/// The access rules of the schema.
#[derive(Debug)]
pub struct AccessRules {
    root_fields: HashMap<&'static str, HashMap<String, RootField>>,
    matrix: Vec<AccessMatrixEntry>,
}

/// A field of `Query` or `Mutation`.
#[derive(Debug)]
pub struct RootField {
    pub rule: Option<AccessRule>,
    before_password_change: bool,
    pub nullable: bool,
}

impl RootField {
    /// Checks the rule of the field. A rule that lets owners pass is checked in full where the owner is known; here only
    /// the credential is checked.
    pub fn check(&self, principal: &Principal) -> Result<()> {
        match self.rule {
            None => Ok(()),
            Some(rule) if self.before_password_change => rule.check_before_password_change(principal),
            Some(rule) if rule.owner => rule.check_scope(principal),
            Some(rule) => rule.check(principal),
        }
    }
}

impl AccessRules {
    /// Reads the rules from the definitions of the schema.
    ///
    /// # Panics
    ///
    /// If a root field has no rule and is not public; if a rule stands where nothing checks it: on a field that is neither
    /// a root field nor in `defined`, the coordinates of the guarded field definitions; or if a rule cannot be read.
    pub fn of(definitions: &[TypeSystemDefinition], defined: &[String]) -> Self {
        let mut rules = Self { root_fields: HashMap::new(), matrix: Vec::new() };
        for definition in definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let TypeKind::Object(object) = &ty.node.kind else { continue };
            let name = ty.node.name.node.as_str();
            let root = ROOT_TYPES.into_iter().find(|root| *root == name);
            for field in &object.fields {
                let coordinate = format!("{name}.{}", field.node.name.node);
                let rule = rule_of(&coordinate, &field.node);
                if let Some(root) = root {
                    assert!(rule.is_some() || PUBLIC.contains(&&*coordinate), "{coordinate} has no access rule");
                    let field = RootField {
                        rule,
                        before_password_change: BEFORE_PASSWORD_CHANGE.contains(&&*coordinate),
                        nullable: field.node.ty.node.nullable,
                    };
                    let name = coordinate[root.len() + 1..].to_owned();
                    rules.root_fields.entry(root).or_default().insert(name, field);
                } else {
                    assert!(rule.is_none() || defined.contains(&coordinate), "nothing checks the rule of {coordinate}");
                }
                rules.matrix.extend(rule.map(|rule| AccessMatrixEntry::new(coordinate, rule)));
            }
        }
        rules
    }

    /// A field of a root type; validation has let only fields of the schema through.
    pub fn root_field(&self, root: &str, name: &str) -> &RootField {
        &self.root_fields[root][name]
    }

    /// All fields that have a rule, in the order of the schema.
    pub fn matrix(&self) -> &[AccessMatrixEntry] {
        &self.matrix
    }
}

impl AccessMatrixEntry {
    fn new(coordinate: String, rule: AccessRule) -> Self {
        let roles = model::Role::ALL.iter().copied().filter(|role| *role >= rule.role);
        Self {
            coordinate,
            roles: roles.map(Role::from).collect(),
            owner: rule.owner,
            scope: rule.scope.map(Scope::from),
        }
    }
}

/// The rule in the directive of a field.
fn rule_of(coordinate: &str, field: &FieldDefinition) -> Option<AccessRule> {
    let directive = field.directives.iter().find(|directive| directive.node.name.node == Requires::NAME)?;
    let arguments = directive.node.arguments.iter().map(|(name, value)| (name.node.as_str(), &value.node));
    Some(Requires::rule(arguments).unwrap_or_else(|| panic!("the access rule of {coordinate} cannot be read")))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_schema;

    use super::*;

    fn rules(sdl: &str) -> AccessRules {
        AccessRules::of(&parse_schema(sdl).expect("SDL").definitions, &["User.email".to_owned()])
    }

    #[test]
    fn rules_are_read_from_the_directives() {
        let rules = rules(
            "type Query { me: User @requires(role: VIEWER, owner: false) ids: [ID!]! @requires(role: ADMIN, owner: true, scope: READ) }
             type User { name: String email: String @requires(role: ANALYST, owner: true, scope: READ) }",
        );
        let me = rules.root_field("Query", "me");
        assert_eq!(me.rule, Some(AccessRule { role: model::Role::Viewer, owner: false, scope: None }));
        assert!(me.nullable && me.before_password_change);
        let ids = rules.root_field("Query", "ids");
        assert!(!ids.nullable && !ids.before_password_change);
        let coordinates: Vec<_> = rules.matrix().iter().map(|entry| &*entry.coordinate).collect();
        assert_eq!(coordinates, ["Query.me", "Query.ids", "User.email"]);
        assert_eq!(rules.matrix()[2].roles, [Role::Analyst, Role::Admin]);
    }

    #[test]
    #[should_panic(expected = "Query.users has no access rule")]
    fn a_root_field_without_a_rule_is_rejected() {
        rules("type Query { users: Int }");
    }

    #[test]
    #[should_panic(expected = "nothing checks the rule of User.name")]
    fn a_rule_that_nothing_checks_is_rejected() {
        rules("type User { name: String @requires(role: ADMIN, owner: false) }");
    }

    #[test]
    #[should_panic(expected = "the access rule of User.email cannot be read")]
    fn a_rule_that_cannot_be_read_is_rejected() {
        rules("type User { email: String @requires(role: ROOT, owner: false) }");
    }
}
