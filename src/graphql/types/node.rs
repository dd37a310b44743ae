//! `Node`: the objects with a global id.

use std::sync::Arc;

use async_graphql::{ID, Interface};

use crate::{
    auth::Principal,
    model::{ApiToken, AuditLog, AuthSession, Role, Session, User},
};

/// An object with a globally unique id (GraphQL Global Object Identification Specification).
#[derive(Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id, a UUID; unique across all types."))]
pub enum Node {
    User(Arc<User>),
    Session(Arc<Session>),
    AuditLog(Arc<AuditLog>),
    AuthSession(Arc<AuthSession>),
    ApiToken(Arc<ApiToken>),
}

/// The visibility of single rows. For a principal that may not see a row the response is the same as without the row.
pub trait Visible {
    /// Returns true if the principal may see the row.
    fn visible_to(&self, principal: &Principal) -> bool;
}

impl Visible for User {
    fn visible_to(&self, principal: &Principal) -> bool {
        principal.has(Role::Analyst) || principal.is(self.id)
    }
}

impl Visible for Session {
    fn visible_to(&self, principal: &Principal) -> bool {
        principal.has(Role::Analyst) || principal.is(self.user_id)
    }
}

impl Visible for AuditLog {
    fn visible_to(&self, principal: &Principal) -> bool {
        principal.has(Role::Analyst) || self.user_id.is_some_and(|id| principal.is(id))
    }
}

/// Login sessions give access to an account: only its owner and admins see them.
impl Visible for AuthSession {
    fn visible_to(&self, principal: &Principal) -> bool {
        principal.has(Role::Admin) || principal.is(self.user_id)
    }
}

/// API tokens give access to an account too.
impl Visible for ApiToken {
    fn visible_to(&self, principal: &Principal) -> bool {
        principal.has(Role::Admin) || principal.is(self.user_id)
    }
}
