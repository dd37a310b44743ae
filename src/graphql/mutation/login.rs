//! Logging in, staying logged in, logging out.

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
        auth_sessions::{self, Issued},
        login,
    },
};

#[derive(Debug, Default)]
pub struct LoginMutation;

/// Who wants to log in.
#[derive(InputObject)]
pub struct LoginInput {
    /// The user name or the e-mail address, without regard to case.
    username: String,
    /// The password, at most 1,024 bytes.
    #[graphql(secret)]
    password: String,
}

/// What keeps a login going.
#[derive(InputObject)]
pub struct RefreshTokenInput {
    /// The refresh token of the last login or refresh.
    #[graphql(secret)]
    refresh_token: String,
}

/// A login that holds.
#[derive(Debug, SimpleObject)]
pub struct LoginPayload {
    /// The token for the header `Authorization: Bearer <accessToken>`.
    access_token: String,
    /// The token for `refreshToken`, to be used once. Keep it as secret as a password.
    refresh_token: String,
    /// When the access token ends.
    expires_at: Timestamp,
    /// Who is logged in now.
    user: Arc<User>,
    /// Whether somebody else knows the password too, so that it has to be changed.
    password_change_required: bool,
}

/// A login that was ended by its user.
#[derive(Debug, SimpleObject)]
pub struct LogoutPayload {
    /// True: from here on the tokens of this login are refused.
    success: bool,
}

/// A login that was ended.
#[derive(Debug, SimpleObject)]
pub struct RevokeAuthSessionPayload {
    /// The login.
    auth_session: Arc<AuthSession>,
}

/// All logins of a user, ended.
#[derive(Debug, SimpleObject)]
pub struct RevokeAllAuthSessionsPayload {
    /// How many there were.
    count: u64,
}

impl From<Issued> for LoginPayload {
    fn from(issued: Issued) -> Self {
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
    /// Logs in with a password. An unknown user, a wrong password and an inactive user are all `UNAUTHENTICATED`, alike.
    /// After several failures in a row each further try has to wait: `RATE_LIMITED`, with `extensions.retryAfter`. With a
    /// password that somebody else chose, what the login may do is to change it: `me`, `changePassword`, `logout` and
    /// `refreshToken` answer, any other field is `FORBIDDEN` with `extensions.reason` `PASSWORD_CHANGE_REQUIRED` (unless the
    /// server is set otherwise).
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants to log in.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        let request = ctx.request();
        let password = SecretString::from(input.password);
        let issued = login::login(&request.services, &request.db, &request.client, &input.username, password).await?;
        request.log_in(issued.authenticated(request.services.limits.accounts.force_password_change));
        Ok(issued.into())
    }

    /// Gives new tokens for a refresh token, which is used up by it. Tabs that send the same one within ten seconds get
    /// the same answer; when it is sent later, somebody else has it, and the login is ended. `UNAUTHENTICATED` for a token
    /// that does not hold.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What keeps a login going.")] input: RefreshTokenInput,
    ) -> Result<LoginPayload> {
        let request = ctx.request();
        let token = RefreshToken::sent(input.refresh_token);
        let issued = auth_sessions::refresh(&request.services, &request.db, &request.client, token).await?;
        request.log_in(issued.authenticated(request.services.limits.accounts.force_password_change));
        Ok(issued.into())
    }

    /// Ends the login that the request is sent with: its tokens are refused from here on.
    #[graphql(directive = Requires::apply(LOGIN_SESSION))]
    async fn logout(&self, ctx: &Context<'_>) -> Result<LogoutPayload> {
        auth_sessions::logout(ctx.request().actor()?).await?;
        Ok(LogoutPayload { success: true })
    }

    /// Ends one login, wherever it is: one's own, or for an admin anybody's. `NOT_FOUND` for any other.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn revoke_auth_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the login, a UUID.")] id: ID,
    ) -> Result<RevokeAuthSessionPayload> {
        let id = AuthSessionId(uuid("id", &id)?);
        let auth_session = auth_sessions::revoke(ctx.request().actor()?, id).await?;
        Ok(RevokeAuthSessionPayload { auth_session: Arc::new(auth_session) })
    }

    /// Ends all logins of a user, this one included: one's own, or for an admin anybody's. `NOT_FOUND` for any other user.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn revoke_all_auth_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID; the caller by default.")] user_id: Option<ID>,
    ) -> Result<RevokeAllAuthSessionsPayload> {
        let actor = ctx.request().actor()?;
        let user = user_id.map(|id| uuid("userId", &id).map(UserId)).transpose()?;
        let count = auth_sessions::revoke_all(actor, user.unwrap_or(actor.principal.user.id)).await?;
        Ok(RevokeAllAuthSessionsPayload { count })
    }
}
