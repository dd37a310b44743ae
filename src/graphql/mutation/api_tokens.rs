//! Tokens for scripts.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    error::Result,
    graphql::{
        access::{LOGIN_SESSION, MANAGE_OWN, Requires},
        enums::Scope,
        execution::ContextExt,
        scalars::uuid,
    },
    model::{self, ApiToken, ApiTokenId, Timestamp},
    services::api_tokens::{self, Wanted},
};

#[derive(Debug, Default)]
pub struct ApiTokenMutation;

/// What a token is to be.
#[derive(Debug, InputObject)]
pub struct CreateApiTokenInput {
    /// What it is for, in your words: 1 to 100 characters.
    name: String,
    /// What it may be used for: at least one scope, and none that your role has no use for. `WRITE_SESSIONS` and
    /// `WRITE_AUDIT` take an analyst, `MANAGE_USERS` an admin.
    scopes: Vec<Scope>,
    /// When it ends: within a year; by default in 90 days.
    expires_at: Option<Timestamp>,
}

/// A new token.
#[derive(Debug, SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The token for the header `Authorization: Bearer <token>`. It is shown this once: keep it as secret as a password.
    /// `gey_`, 43 random digits in base62, and the CRC-32 of these digits in 6 digits of base62 (0-9, A-Z, a-z).
    token: String,
    /// What is kept of it.
    api_token: Arc<ApiToken>,
}

/// A token that was revoked.
#[derive(Debug, SimpleObject)]
pub struct RevokeApiTokenPayload {
    /// The token.
    api_token: Arc<ApiToken>,
}

#[Object]
impl ApiTokenMutation {
    /// Makes a token for scripts, which acts in your name, within its scopes and your role. Only a login makes tokens,
    /// once in an operation.
    #[graphql(directive = Requires::apply(LOGIN_SESSION))]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let scopes = input.scopes.into_iter().map(model::Scope::from).collect();
        let wanted = Wanted { name: input.name, scopes, expires_at: input.expires_at };
        let (key, api_token) = api_tokens::create(ctx.request().actor()?, wanted).await?;
        Ok(CreateApiTokenPayload { token: key.expose().to_owned(), api_token: Arc::new(api_token) })
    }

    /// Revokes a token, which is refused from then on: one's own, or for an admin anybody's. `NOT_FOUND` for any other.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the token, a UUID; not the token itself.")] id: ID,
    ) -> Result<RevokeApiTokenPayload> {
        let id = ApiTokenId(uuid("id", &id)?);
        let api_token = api_tokens::revoke(ctx.request().actor()?, id).await?;
        Ok(RevokeApiTokenPayload { api_token: Arc::new(api_token) })
    }
}
