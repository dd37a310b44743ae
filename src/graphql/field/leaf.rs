//! Leaf fields: scalars and enums that a row holds.

use async_graphql::{Name, OutputType, Value, registry::Registry, resolver_utils::EnumType};

use crate::{
    graphql::execution::Json,
    model::{RawJson, Timestamp},
};

/// How a leaf field reads its value from a row. The variant determines the GraphQL type.
pub enum Leaf<T> {
    Text(fn(&T) -> &str),
    OptionalText(fn(&T) -> Option<&str>),
    Boolean(fn(&T) -> bool),
    Time(fn(&T) -> Timestamp),
    OptionalTime(fn(&T) -> Option<Timestamp>),
    OptionalJson(fn(&T) -> Option<&RawJson>),
    Enum(fn(&mut Registry) -> String, fn(&T) -> &'static str),
    Enums(fn(&mut Registry) -> String, fn(&T) -> Vec<&'static str>),
}

/// A value of a leaf field.
pub enum LeafValue<'a> {
    Null,
    Boolean(bool),
    Text(&'a str),
    Time(Timestamp),
    Json(&'a RawJson),
    Enum(&'static str),
    Enums(Vec<&'static str>),
}

/// The name of an enum value in the schema.
pub fn enum_name<E: EnumType>(value: E) -> &'static str {
    E::items().iter().find(|item| item.value == value).map_or("", |item| item.name)
}

impl<T> Leaf<T> {
    /// Registers the type of the field; returns its name.
    pub fn type_info(&self, registry: &mut Registry) -> String {
        match self {
            Self::Text(_) => <&str as OutputType>::create_type_info(registry),
            Self::OptionalText(_) => <Option<&str> as OutputType>::create_type_info(registry),
            Self::Boolean(_) => <bool as OutputType>::create_type_info(registry),
            Self::Time(_) => <Timestamp as OutputType>::create_type_info(registry),
            Self::OptionalTime(_) => <Option<Timestamp> as OutputType>::create_type_info(registry),
            Self::OptionalJson(_) => <Option<RawJson> as OutputType>::create_type_info(registry),
            Self::Enum(type_info, _) | Self::Enums(type_info, _) => type_info(registry),
        }
    }

    /// Returns true if the value may be absent.
    pub fn is_optional(&self) -> bool {
        matches!(self, Self::OptionalText(_) | Self::OptionalTime(_) | Self::OptionalJson(_))
    }

    /// The value of a row.
    pub fn value<'a>(&self, row: &'a T) -> LeafValue<'a> {
        match self {
            Self::Text(read) => LeafValue::Text(read(row)),
            Self::OptionalText(read) => read(row).map_or(LeafValue::Null, LeafValue::Text),
            Self::Boolean(read) => LeafValue::Boolean(read(row)),
            Self::Time(read) => LeafValue::Time(read(row)),
            Self::OptionalTime(read) => read(row).map_or(LeafValue::Null, LeafValue::Time),
            Self::OptionalJson(read) => read(row).map_or(LeafValue::Null, LeafValue::Json),
            Self::Enum(_, read) => LeafValue::Enum(read(row)),
            Self::Enums(_, read) => LeafValue::Enums(read(row)),
        }
    }
}

impl LeafValue<'_> {
    /// Writes the value as JSON.
    pub fn write(&self, json: &mut Json) {
        match self {
            Self::Null => json.null(),
            Self::Boolean(value) => json.bool(*value),
            Self::Text(text) => json.text(text),
            Self::Time(at) => json.time(*at),
            Self::Json(value) => json.raw(&value.0),
            Self::Enum(name) => json.text(name),
            Self::Enums(names) => json.list(names, |json, name| json.text(name)),
        }
    }

    /// The bytes of a text or JSON value of any length, which count towards the size of the response.
    pub fn counted_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Json(value) => value.0.len(),
            _ => 0,
        }
    }
}

impl From<LeafValue<'_>> for Value {
    fn from(value: LeafValue<'_>) -> Self {
        match value {
            LeafValue::Null => Self::Null,
            LeafValue::Boolean(value) => Self::Boolean(value),
            LeafValue::Text(text) => Self::String(text.to_owned()),
            LeafValue::Time(at) => Self::String(at.to_string()),
            LeafValue::Json(value) => value.to_raw_value(),
            LeafValue::Enum(name) => Self::Enum(Name::new(name)),
            LeafValue::Enums(names) => Self::List(names.into_iter().map(|name| Self::Enum(Name::new(name))).collect()),
        }
    }
}
