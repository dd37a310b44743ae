//! `Mutation`: one file per subject.

mod api_tokens;
mod audit_logs;
mod login;
mod sessions;
mod users;

use async_graphql::{MaybeUndefined, MergedObject};

use crate::services::Patch;

/// The mutation root. The fields of an operation run serially.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    login::LoginMutation,
    users::UserMutation,
    sessions::SessionMutation,
    audit_logs::AuditLogMutation,
    api_tokens::ApiTokenMutation,
);

/// An omitted field keeps the value; null clears it.
impl<T> From<MaybeUndefined<T>> for Patch<Option<T>> {
    fn from(value: MaybeUndefined<T>) -> Self {
        match value {
            MaybeUndefined::Undefined => Self::Keep,
            MaybeUndefined::Null => Self::Set(None),
            MaybeUndefined::Value(value) => Self::Set(Some(value)),
        }
    }
}
