//! Who asks. Every request has a principal; no token makes it anonymous, a bad token makes it an error.

use std::sync::Arc;

use super::Tokens;
use crate::{
    clock::Clock,
    db::{Db, users},
    error::{Code, Error, Result},
    model::{Role, User, UserId},
};

/// Who sent the request.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody we know.
    Anonymous,
    /// A user, as the database has it now: the role is the row's, never the token's.
    User(Arc<User>),
}

impl Principal {
    /// The user, if one is logged in.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<User>> {
        match self {
            Self::Anonymous => None,
            Self::User(user) => Some(user),
        }
    }

    /// The user, or the error that asks for a login.
    pub fn require(&self) -> Result<&Arc<User>> {
        self.user().ok_or_else(Error::unauthenticated)
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

/// From the `Authorization` header to the caller: one statement, which also sees that the user is still active.
pub async fn authenticate(db: &Db, tokens: &Tokens, clock: Clock, header: Option<&str>) -> Result<Principal> {
    let Some(header) = header else {
        return Ok(Principal::Anonymous);
    };
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(bad_token()),
    };
    let id = tokens.verify(db, token, clock.now()).await?.ok_or_else(bad_token)?;
    let user = users::find(db, id).await?.filter(|user| user.is_active).ok_or_else(bad_token)?;
    Ok(Principal::User(Arc::new(user)))
}

fn bad_token() -> Error {
    Error::new(Code::Unauthenticated, "the access token is not valid, or no longer: log in again")
}
