//! The root of writing: one file per subject.

mod api_tokens;
mod login;

use async_graphql::MergedObject;

/// The root of writing. The fields of one operation run one after the other.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(login::LoginMutation, api_tokens::ApiTokenMutation);
