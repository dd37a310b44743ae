//! The enums of the domain as GraphQL enums.

use async_graphql::Enum;

use crate::model;

/// The role of a user. Each role includes the permissions of the roles before it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "model::Role")]
pub enum Role {
    /// Reads their own profile, sessions and audit log entries.
    Viewer,
    /// Reads the data of all users; writes their own sessions.
    Analyst,
    /// Has all permissions, user management included.
    Admin,
}

/// A permission of an API token. The role of the token's owner limits it further.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "model::Scope")]
pub enum Scope {
    /// Reads what the owner may read.
    Read,
    /// Writes sessions.
    WriteSessions,
    /// Records audit log entries.
    WriteAudit,
    /// Manages users, if the owner is an admin. Creating an admin, promoting a user to admin and resetting a password need
    /// a login session.
    ManageUsers,
}

/// The action that an audit log entry records.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "model::AuditAction")]
pub enum AuditAction {
    /// A successful login.
    Login,
    /// A logout.
    Logout,
    /// A refused login.
    FailedLogin,
    /// A query to an agent.
    QueryAgent,
    /// An execution of an agent.
    AgentExecution,
    /// A user was created.
    UserCreated,
    /// A user was changed.
    UserUpdated,
    /// A user was deleted.
    UserDeleted,
    /// A session was created.
    SessionCreated,
    /// A session was ended.
    SessionEnded,
    /// A setting was changed.
    ConfigChanged,
    /// A password was changed.
    PasswordChanged,
    /// An API token was created.
    TokenCreated,
    /// An API token, or a login session with its tokens, was revoked.
    TokenRevoked,
    /// A refresh token was used a second time; its login session was ended.
    TokenReuse,
    /// A session was changed.
    SessionUpdated,
    /// A session was deleted.
    SessionDeleted,
    /// A request was refused because a role, a scope or ownership was missing.
    AccessDenied,
    /// A request exceeded a limit.
    LimitExceeded,
}
