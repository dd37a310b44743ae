//! Authentication of requests: from the `Authorization` header to the principal.

use sha2::{Digest, Sha256};

use super::{AccessTokens, ApiTokenSecret, Authenticated, Credential, Principal, auth_cache::AuthCache};
use crate::{
    db::{Db, api_tokens, auth_sessions},
    error::{Error, ErrorCode, Result},
    model::Timestamp,
};

/// Authenticates requests by access tokens and API tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authenticator {
    access_tokens: AccessTokens,
    cache: AuthCache,
    /// Whether a user with a password that another person chose must change it before anything else.
    force_password_change: bool,
}

impl Authenticator {
    /// An authenticator with an empty cache.
    #[must_use]
    pub fn new(access_tokens: AccessTokens, force_password_change: bool) -> Self {
        Self { access_tokens, cache: AuthCache::default(), force_password_change }
    }

    /// The principal of a request with this `Authorization` header. No header makes an anonymous request; an invalid one
    /// is the error `UNAUTHENTICATED`.
    ///
    /// One statement reads the user, unless the login session or API token is revoked or the user is inactive. No
    /// statement runs for a cached principal, nor for a token that this server cannot have issued.
    pub async fn authenticate(&self, db: &Db, header: Option<&str>, now: Timestamp) -> Result<Principal> {
        let Some(header) = header else {
            return Ok(Principal::Anonymous);
        };
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(invalid_access_token()),
        };
        if ApiTokenSecret::has_prefix(token) {
            self.by_api_token(db, token, now).await
        } else {
            self.by_access_token(db, token, now).await
        }
    }

    async fn by_api_token(&self, db: &Db, token: &str, now: Timestamp) -> Result<Principal> {
        let hash = ApiTokenSecret::parse(token).ok_or_else(invalid_api_token)?.hash();
        let load = async || {
            let found = api_tokens::find_user(db, hash, now).await?;
            Ok(found.map(|holder| {
                let credential = Credential::ApiToken(holder.token, holder.scopes);
                let user = holder.user.into();
                (Authenticated { user, credential, must_change_password: false }, holder.expires_at)
            }))
        };
        let found = self.cache.get_or_load(db, hash, now, load).await?;
        found.map(Principal::Authenticated).ok_or_else(invalid_api_token)
    }

    async fn by_access_token(&self, db: &Db, token: &str, now: Timestamp) -> Result<Principal> {
        let hash = Sha256::digest(token).into();
        let claims = self.access_tokens.verify_hashed(token, hash, now).await?.ok_or_else(invalid_access_token)?;
        let load = async || {
            let found = auth_sessions::find_user(db, claims.auth_session, claims.user, now).await?;
            Ok(found.map(|holder| {
                let credential = Credential::AuthSession(claims.auth_session);
                let must_change_password = self.force_password_change && holder.password_change_required;
                (Authenticated { user: holder.user.into(), credential, must_change_password }, holder.expires_at)
            }))
        };
        let found = self.cache.get_or_load(db, hash, now, load).await?;
        found.map(Principal::Authenticated).ok_or_else(invalid_access_token)
    }
}

fn invalid_access_token() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the access token is invalid or has expired: log in again")
}

fn invalid_api_token() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the API token is invalid, expired or revoked")
}
