//! Login, token refresh, logout and revocation of login sessions.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use crate::{
    auth::RefreshToken,
    error::Result,
    graphql::{
        access::{LOGIN_SESSION, MANAGE_OWN, Requires},
        execution::ContextExt,
        scalars::uuid,
    },
    model::{AuthSession, AuthSessionId, Timestamp, User, UserId},
    services::{
        auth_sessions::{self, IssuedTokens},
        login,
    },
};

#[derive(Debug, Default)]
pub struct LoginMutation;

/// The input of `login`.
#[derive(InputObject)]
pub struct LoginInput {
    /// The user name or the e-mail address (case-insensitive).
    username: String,
    /// The password; at most 1,024 bytes.
    #[graphql(secret)]
    password: String,
}

/// The input of `refreshToken`.
#[derive(InputObject)]
pub struct RefreshTokenInput {
    /// The refresh token from the last login or refresh.
    #[graphql(secret)]
    refresh_token: String,
}

/// The payload of `login` and `refreshToken`.
#[derive(Debug, SimpleObject)]
pub struct LoginPayload {
    /// The access token, for the header `Authorization: Bearer <accessToken>`.
    access_token: String,
    /// The refresh token, for one use in `refreshToken`. Keep it as secret as a password.
    refresh_token: String,
    /// The time of expiry of the access token.
    expires_at: Timestamp,
    /// The user who logged in.
    user: Arc<User>,
    /// True if the password was chosen by another person and must be changed.
    password_change_required: bool,
}

/// The payload of `logout`.
#[derive(Debug, SimpleObject)]
pub struct LogoutPayload {
    /// True: the tokens of the login session are refused from now on.
    success: bool,
}

/// The payload of `revokeAuthSession`.
#[derive(Debug, SimpleObject)]
pub struct RevokeAuthSessionPayload {
    /// The revoked login session.
    auth_session: Arc<AuthSession>,
}

/// The payload of `revokeAllAuthSessions`.
#[derive(Debug, SimpleObject)]
pub struct RevokeAllAuthSessionsPayload {
    /// The number of revoked login sessions.
    count: u64,
}

impl From<IssuedTokens> for LoginPayload {
    fn from(issued: IssuedTokens) -> Self {
        Self {
            access_token: issued.access_token.token,
            refresh_token: issued.refresh_token.expose().to_owned(),
            expires_at: issued.access_token.expires_at,
            user: issued.user,
            password_change_required: issued.password_change_required,
        }
    }
}

#[Object]
impl LoginMutation {
    /// Logs in with a password. An unknown user, a wrong password and an inactive user get the same `UNAUTHENTICATED`. After
    /// several failures in a row, further attempts are delayed: `RATE_LIMITED`, with `extensions.retryAfter`. While
    /// `passwordChangeRequired` is true, only `me`, `changePassword`, `logout` and `refreshToken` are allowed; all other
    /// fields are `FORBIDDEN` with `extensions.reason` `PASSWORD_CHANGE_REQUIRED` (unless the server is configured not to
    /// enforce it).
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The credentials.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        let request = ctx.request();
        let password = SecretString::from(input.password);
        let issued = login::login(&request.services, &request.db, &request.client, &input.username, password).await?;
        request.log_in(issued.authenticated(request.services.limits.accounts.force_password_change));
        Ok(issued.into())
    }

    /// Exchanges a refresh token for a new access token and a new refresh token. Requests with the same refresh token within
    /// ten seconds get the same new tokens; a later reuse indicates theft and ends the login session. `UNAUTHENTICATED` if
    /// the token is not valid.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: RefreshTokenInput,
    ) -> Result<LoginPayload> {
        let request = ctx.request();
        let token = RefreshToken::from_client(input.refresh_token);
        let issued = auth_sessions::refresh(&request.services, &request.db, &request.client, token).await?;
        request.log_in(issued.authenticated(request.services.limits.accounts.force_password_change));
        Ok(issued.into())
    }

    /// Ends the login session of the request. Its tokens are refused from now on.
    #[graphql(directive = Requires::apply(LOGIN_SESSION))]
    async fn logout(&self, ctx: &Context<'_>) -> Result<LogoutPayload> {
        auth_sessions::logout(ctx.request().actor()?).await?;
        Ok(LogoutPayload { success: true })
    }

    /// Ends a login session. Users end their own login sessions, admins all. `NOT_FOUND` for any other id.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn revoke_auth_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the login session, a UUID.")] id: ID,
    ) -> Result<RevokeAuthSessionPayload> {
        let id = AuthSessionId(uuid("id", &id)?);
        let auth_session = auth_sessions::revoke(ctx.request().actor()?, id).await?;
        Ok(RevokeAuthSessionPayload { auth_session: Arc::new(auth_session) })
    }

    /// Ends all login sessions of a user, that of the request included. Users end their own, admins those of all users.
    /// `NOT_FOUND` for any other id.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn revoke_all_auth_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID; the default is the principal.")] user_id: Option<ID>,
    ) -> Result<RevokeAllAuthSessionsPayload> {
        let actor = ctx.request().actor()?;
        let user = user_id.map(|id| uuid("userId", &id).map(UserId)).transpose()?;
        let count = auth_sessions::revoke_all(actor, user.unwrap_or(actor.principal.user.id)).await?;
        Ok(RevokeAllAuthSessionsPayload { count })
    }
}
