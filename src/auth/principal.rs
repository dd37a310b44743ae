//! Who asks. Every request has a principal; no token makes it anonymous, a bad token makes it an error.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{AccessTokens, ApiTokenSecret, AuthCache};
use crate::{
    clock::Clock,
    db::{Db, api_tokens, auth_sessions},
    error::{Error, ErrorCode, Result},
    model::{ApiTokenId, AuthSessionId, Role, Scope, Scopes, User, UserId},
};

/// Who sent the request.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody we know.
    Anonymous,
    /// Somebody with a token that holds.
    Authenticated(Arc<Authenticated>),
}

/// A user, and by what we know.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// As the database had it a moment ago: the role is the row's, never the token's.
    pub user: Arc<User>,
    pub credential: Credential,
    /// Whether somebody else chose the password of this login, and the server wants another one first.
    pub must_change_password: bool,
}

/// What a token stands for.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A login.
    AuthSession(AuthSessionId),
    /// A token for scripts, which does no more than its scopes say.
    ApiToken(ApiTokenId, Scopes),
}

impl Authenticated {
    /// Whether the credential is good for this; `None` is what takes a login.
    #[must_use]
    pub fn covers(&self, scope: Option<Scope>) -> bool {
        match (&self.credential, scope) {
            (Credential::AuthSession(_), _) => true,
            (Credential::ApiToken(_, scopes), Some(scope)) => scopes.contains(scope),
            (Credential::ApiToken(..), None) => false,
        }
    }

    /// The login that this is, if it is one.
    #[must_use]
    pub fn auth_session(&self) -> Option<AuthSessionId> {
        match self.credential {
            Credential::AuthSession(id) => Some(id),
            Credential::ApiToken(..) => None,
        }
    }
}

impl Principal {
    /// Whoever is signed in.
    #[must_use]
    pub fn authenticated(&self) -> Option<&Authenticated> {
        match self {
            Self::Anonymous => None,
            Self::Authenticated(authenticated) => Some(authenticated),
        }
    }

    /// The user, if one is signed in.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<User>> {
        self.authenticated().map(|authenticated| &authenticated.user)
    }

    /// Whoever is signed in, or the error that asks for a login.
    pub fn require(&self) -> Result<&Authenticated> {
        self.authenticated().ok_or_else(Error::unauthenticated)
    }

    /// Whether the caller has the role or a higher one.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.user().is_some_and(|user| user.role >= role)
    }

    /// Whether the caller is this user.
    #[must_use]
    pub fn is(&self, id: UserId) -> bool {
        self.user().is_some_and(|user| user.id == id)
    }
}

/// From the `Authorization` header to the caller: one statement, which also sees that the login was not ended, or the
/// token not revoked, and that the user is still active; none when the caller was found a moment ago, or when it cannot be
/// one of our tokens.
pub async fn authenticate(
    db: &Db,
    tokens: &AccessTokens,
    auth_cache: &AuthCache,
    clock: Clock,
    header: Option<&str>,
    force_password_change: bool,
) -> Result<Principal> {
    let Some(header) = header else {
        return Ok(Principal::Anonymous);
    };
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(bad_token()),
    };
    let now = clock.now();
    if ApiTokenSecret::has_prefix(token) {
        let key = ApiTokenSecret::parse(token).ok_or_else(bad_api_token)?;
        let hash = key.hash();
        let ask = async || {
            let found = api_tokens::find_holder(db, hash, now).await?;
            Ok(found.map(|holder| {
                let credential = Credential::ApiToken(holder.token, holder.scopes);
                (
                    Authenticated { user: Arc::new(holder.user), credential, must_change_password: false },
                    holder.expires_at,
                )
            }))
        };
        let caller = auth_cache.find(db, hash, now, ask).await?;
        return caller.map(Principal::Authenticated).ok_or_else(bad_api_token);
    }
    let hash = Sha256::digest(token).into();
    let subject = tokens.verify_hashed(token, hash, now).await?.ok_or_else(bad_token)?;
    let ask = async || {
        let found = auth_sessions::find_holder(db, subject.auth_session, subject.user, now).await?;
        Ok(found.map(|holder| {
            let credential = Credential::AuthSession(subject.auth_session);
            let must_change_password = force_password_change && holder.password_change_required;
            (Authenticated { user: Arc::new(holder.user), credential, must_change_password }, holder.expires_at)
        }))
    };
    let caller = auth_cache.find(db, hash, now, ask).await?;
    caller.map(Principal::Authenticated).ok_or_else(bad_token)
}

fn bad_token() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the access token is not valid, or no longer: log in again")
}

fn bad_api_token() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the API token is not valid, or no longer")
}
