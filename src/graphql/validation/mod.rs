//! The specification's validation of documents and coercion of variables, where the library's own falls short.

mod coercion;
pub(in crate::graphql) mod literals;
mod variable_usages;

pub(in crate::graphql) use self::coercion::Inputs;
