//! Field definitions: one declaration of a field, from which its SDL, its access check, its resolver and its writer on the
//! fast path follow. They cannot differ from each other.

mod definition;
mod leaf;
mod list;
mod object;

pub use self::{
    definition::{Field, FieldDefinitions, Resolver},
    leaf::{Leaf, enum_name},
    list::{ListField, LoadedPages, PagePlan, Scope},
    object::DefinedFields,
};
