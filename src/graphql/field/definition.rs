//! The definition of a field.

use async_graphql::{OutputType, registry::Registry, resolver_utils::EnumType};

use super::{Leaf, ListField};
use crate::{
    auth::Principal,
    error::Result,
    graphql::access::AccessRule,
    model::{RawJson, Timestamp, UserId},
};

/// A type with field definitions.
pub trait FieldDefinitions: OutputType + Sized + 'static {
    const FIELDS: &'static [Field<Self>];

    /// The owner of the data, for the access rules of the fields.
    fn owner(&self) -> Option<UserId> {
        None
    }

    /// The coordinates of the fields that have an access rule.
    fn guarded() -> Vec<String> {
        let guarded = Self::FIELDS.iter().filter(|field| field.rule.is_some());
        guarded.map(|field| format!("{}.{}", Self::type_name(), field.name)).collect()
    }

    /// The definition with this name.
    fn field(name: &str) -> Option<&'static Field<Self>> {
        Self::FIELDS.iter().find(|field| field.name == name)
    }
}

/// The definition of a field of `T`.
pub struct Field<T> {
    pub name: &'static str,
    pub description: &'static str,
    pub rule: Option<AccessRule>,
    pub resolver: Resolver<T>,
}

/// How a field gets its value.
pub enum Resolver<T> {
    /// A scalar or enum value of the row.
    Leaf(Leaf<T>),
    /// The user with this id.
    User(fn(&T) -> Option<UserId>),
    /// A list of the rows of this user, or of all rows.
    List(&'static dyn ListField, fn(&T) -> Option<UserId>),
}

impl<T> Field<T> {
    const fn new(name: &'static str, description: &'static str, resolver: Resolver<T>) -> Self {
        Self { name, description, rule: None, resolver }
    }

    /// A field of the type `String!`.
    pub const fn text(name: &'static str, description: &'static str, read: fn(&T) -> &str) -> Self {
        Self::new(name, description, Resolver::Leaf(Leaf::Text(read)))
    }

    /// A field of the type `String`.
    pub const fn optional_text(name: &'static str, description: &'static str, read: fn(&T) -> Option<&str>) -> Self {
        Self::new(name, description, Resolver::Leaf(Leaf::OptionalText(read)))
    }

    /// A field of the type `Boolean!`.
    pub const fn boolean(name: &'static str, description: &'static str, read: fn(&T) -> bool) -> Self {
        Self::new(name, description, Resolver::Leaf(Leaf::Boolean(read)))
    }

    /// A field of the type `DateTime!`.
    pub const fn time(name: &'static str, description: &'static str, read: fn(&T) -> Timestamp) -> Self {
        Self::new(name, description, Resolver::Leaf(Leaf::Time(read)))
    }

    /// A field of the type `DateTime`.
    pub const fn optional_time(
        name: &'static str,
        description: &'static str,
        read: fn(&T) -> Option<Timestamp>,
    ) -> Self {
        Self::new(name, description, Resolver::Leaf(Leaf::OptionalTime(read)))
    }

    /// A field of the type `JSON`.
    pub const fn optional_json(
        name: &'static str,
        description: &'static str,
        read: fn(&T) -> Option<&RawJson>,
    ) -> Self {
        Self::new(name, description, Resolver::Leaf(Leaf::OptionalJson(read)))
    }

    /// A field of an enum type; `read` returns the [name](super::enum_name) of the value.
    pub const fn enum_value<E: OutputType + EnumType>(
        name: &'static str,
        description: &'static str,
        read: fn(&T) -> &'static str,
    ) -> Self {
        Self::new(name, description, Resolver::Leaf(Leaf::Enum(E::create_type_info, read)))
    }

    /// A field of the type list of an enum.
    pub const fn enum_values<E: OutputType + EnumType>(
        name: &'static str,
        description: &'static str,
        read: fn(&T) -> Vec<&'static str>,
    ) -> Self {
        let type_info: fn(&mut Registry) -> String = <Vec<E> as OutputType>::create_type_info;
        Self::new(name, description, Resolver::Leaf(Leaf::Enums(type_info, read)))
    }

    /// A field of the type `User`.
    pub const fn user(name: &'static str, description: &'static str, read: fn(&T) -> Option<UserId>) -> Self {
        Self::new(name, description, Resolver::User(read))
    }

    /// A field that lists the rows of a user, or all rows.
    pub const fn list(
        name: &'static str,
        description: &'static str,
        list: &'static dyn ListField,
        of: fn(&T) -> Option<UserId>,
    ) -> Self {
        Self::new(name, description, Resolver::List(list, of))
    }

    /// The same field with an access rule. It is nullable: a refused field is null and leaves its siblings.
    pub const fn requires(self, rule: AccessRule) -> Self {
        Self { name: self.name, description: self.description, rule: Some(rule), resolver: self.resolver }
    }

    /// Returns true if the value may be null.
    pub fn is_nullable(&self) -> bool {
        match &self.resolver {
            Resolver::Leaf(leaf) => self.rule.is_some() || leaf.is_optional(),
            Resolver::User(_) | Resolver::List(..) => true,
        }
    }

    /// Returns true if the principal may select the field of every row, regardless of the owner.
    pub fn passes_for_all_owners(&self, principal: &Principal) -> bool {
        self.rule.is_none_or(|rule| rule.passes_for_all_owners(principal))
    }
}

impl<T: FieldDefinitions> Field<T> {
    /// Checks the access rule of the field for this row.
    pub fn check(&self, row: &T, principal: &Principal) -> Result<()> {
        match (self.rule, row.owner()) {
            (None, _) => Ok(()),
            (Some(rule), Some(owner)) => rule.check_for(principal, owner),
            (Some(rule), None) => rule.check(principal),
        }
    }
}
