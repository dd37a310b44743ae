//! `Node`: whatever has an id.

use std::sync::Arc;

use async_graphql::{ID, Interface};

use crate::{
    auth::Principal,
    model::{ApiToken, AuditLog, AuthSession, Role, Session, User},
};

/// Whatever has an id (GraphQL Global Object Identification Specification).
#[derive(Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id, a UUID: unique across all types."))]
pub enum Node {
    User(Arc<User>),
    Session(Arc<Session>),
    AuditLog(Arc<AuditLog>),
    AuthSession(Arc<AuthSession>),
    ApiToken(Arc<ApiToken>),
}

/// Whether a single row may be seen at all; whoever may not see it is told that there is none.
pub trait Visible {
    /// Whether the caller may see the row: its owner, or an analyst.
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

/// What opens an account is for its owner and for admins.
impl Visible for AuthSession {
    fn visible_to(&self, principal: &Principal) -> bool {
        principal.has(Role::Admin) || principal.is(self.user_id)
    }
}

/// The same for what acts in somebody's name.
impl Visible for ApiToken {
    fn visible_to(&self, principal: &Principal) -> bool {
        principal.has(Role::Admin) || principal.is(self.user_id)
    }
}
