//! Logging in.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use crate::{
    error::Result,
    graphql::context::ContextExt,
    model::{Timestamp, User},
    services,
};

#[derive(Debug, Default)]
pub struct LoginMutation;

/// Who wants to log in.
#[derive(InputObject)]
pub struct LoginInput {
    /// The user name or the e-mail address.
    username: String,
    /// The password, at most 1,024 bytes.
    #[graphql(secret)]
    password: String,
}

/// A login that succeeded.
#[derive(Debug, SimpleObject)]
pub struct LoginPayload {
    /// The token for the header `Authorization: Bearer <accessToken>`.
    access_token: String,
    /// When the access token ends.
    expires_at: Timestamp,
    /// Who is logged in now.
    user: Arc<User>,
    /// Whether the password is one that everybody knows and has to be changed.
    password_change_required: bool,
}

#[Object]
impl LoginMutation {
    /// Logs in with a password. An unknown user, a wrong password and an inactive user are all UNAUTHENTICATED, alike.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants to log in.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        let request = ctx.request();
        let password = SecretString::from(input.password);
        let login =
            services::login::login(&request.services, &request.db, &request.client, &input.username, password).await?;
        request.log_in(Arc::clone(&login.user));
        Ok(LoginPayload {
            access_token: login.access_token.token,
            expires_at: login.access_token.expires_at,
            user: login.user,
            password_change_required: login.password_change_required,
        })
    }
}
