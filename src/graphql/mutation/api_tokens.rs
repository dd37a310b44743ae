//! API tokens.

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
    services::api_tokens::{self, NewApiToken},
};

#[derive(Debug, Default)]
pub struct ApiTokenMutation;

/// The input of `createApiToken`.
#[derive(Debug, InputObject)]
pub struct CreateApiTokenInput {
    /// A name that describes the purpose: 1 to 100 characters.
    name: String,
    /// The scopes: at least one, and only those that your role permits. `WRITE_SESSIONS` and `WRITE_AUDIT` need the role
    /// ANALYST, `MANAGE_USERS` needs ADMIN.
    scopes: Vec<Scope>,
    /// The time of expiry: at most a year ahead; the default is in 90 days.
    expires_at: Option<Timestamp>,
}

/// The payload of `createApiToken`.
#[derive(Debug, SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The token, for the header `Authorization: Bearer <token>`. It is shown only once; keep it as secret as a password.
    /// Format: `gey_`, 43 random base62 digits, and the CRC-32 of these digits as 6 base62 digits (0-9, A-Z, a-z).
    token: String,
    /// The stored token, without its secret.
    api_token: Arc<ApiToken>,
}

/// The payload of `revokeApiToken`.
#[derive(Debug, SimpleObject)]
pub struct RevokeApiTokenPayload {
    /// The revoked token.
    api_token: Arc<ApiToken>,
}

#[Object]
impl ApiTokenMutation {
    /// Creates an API token that acts as you, limited by its scopes and your role. Needs a login session. Allowed once per
    /// operation.
    #[graphql(directive = Requires::apply(LOGIN_SESSION))]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The properties of the token.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let scopes = input.scopes.into_iter().map(model::Scope::from).collect();
        let wanted = NewApiToken { name: input.name, scopes, expires_at: input.expires_at };
        let (key, api_token) = api_tokens::create(ctx.request().actor()?, wanted).await?;
        Ok(CreateApiTokenPayload { token: key.expose().to_owned(), api_token: Arc::new(api_token) })
    }

    /// Revokes an API token. Users revoke their own tokens, admins all. `NOT_FOUND` for any other id.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the token, a UUID (not the token itself).")] id: ID,
    ) -> Result<RevokeApiTokenPayload> {
        let id = ApiTokenId(uuid("id", &id)?);
        let api_token = api_tokens::revoke(ctx.request().actor()?, id).await?;
        Ok(RevokeApiTokenPayload { api_token: Arc::new(api_token) })
    }
}
