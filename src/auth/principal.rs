//! The principal of a request: anonymous, or a user with the credential that the request carried.

use std::sync::Arc;

use crate::{
    error::{Error, Result},
    model::{ApiTokenId, AuthSessionId, Role, Scope, Scopes, User, UserId},
};

/// Who makes a request.
#[derive(Clone, Debug)]
pub enum Principal {
    /// The request carries no credential.
    Anonymous,
    /// The request carries a valid credential.
    Authenticated(Arc<Authenticated>),
}

/// A user and the credential that identified the user.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The row of the database, at most a second old. The role is that of the row; tokens carry none.
    pub user: Arc<User>,
    pub credential: Credential,
    /// True if another person chose the password of this login session and the server requires a new one first.
    pub must_change_password: bool,
}

/// How a user was identified.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An access token of a login session.
    AuthSession(AuthSessionId),
    /// An API token, limited to its scopes.
    ApiToken(ApiTokenId, Scopes),
}

impl Authenticated {
    /// Returns true if the credential covers the scope. `None` stands for what needs a login session.
    #[must_use]
    pub fn covers(&self, scope: Option<Scope>) -> bool {
        match (&self.credential, scope) {
            (Credential::AuthSession(_), _) => true,
            (Credential::ApiToken(_, scopes), Some(scope)) => scopes.contains(scope),
            (Credential::ApiToken(..), None) => false,
        }
    }

    /// The login session, unless the credential is an API token.
    #[must_use]
    pub fn auth_session(&self) -> Option<AuthSessionId> {
        match self.credential {
            Credential::AuthSession(id) => Some(id),
            Credential::ApiToken(..) => None,
        }
    }

    /// Returns true if the principal may manage data of the owner: it is the owner, or an admin.
    #[must_use]
    pub fn may_manage(&self, owner: UserId) -> bool {
        self.user.id == owner || self.user.role >= Role::Admin
    }
}

impl Principal {
    /// The user and the credential; `None` for an anonymous request.
    #[must_use]
    pub fn authenticated(&self) -> Option<&Authenticated> {
        match self {
            Self::Anonymous => None,
            Self::Authenticated(authenticated) => Some(authenticated),
        }
    }

    /// The user; `None` for an anonymous request.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<User>> {
        self.authenticated().map(|authenticated| &authenticated.user)
    }

    /// The user and the credential, or the error `UNAUTHENTICATED` for an anonymous request.
    pub fn require(&self) -> Result<&Authenticated> {
        self.authenticated().ok_or_else(Error::unauthenticated)
    }

    /// Returns true if the principal has the role or a higher one.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.user().is_some_and(|user| user.role >= role)
    }

    /// Returns true if the principal is this user.
    #[must_use]
    pub fn is(&self, id: UserId) -> bool {
        self.user().is_some_and(|user| user.id == id)
    }
}
