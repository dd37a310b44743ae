//! The root of writing: one file per subject.

mod login;
mod users;

use async_graphql::MergedObject;

/// The root of writing. The fields of one operation run one after the other.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(login::LoginMutation, users::UserMutation);
