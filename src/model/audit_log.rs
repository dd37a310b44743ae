//! Audit log entries and their actions.

use super::{AuditLogId, RawJson, Timestamp, UserId, text_enum::text_enum};

text_enum! {
    /// The action that an audit log entry records.
    AuditAction {
        /// A successful login.
        Login = "login",
        /// A logout.
        Logout = "logout",
        /// A login that was refused.
        FailedLogin = "failed_login",
        /// A question put to an agent.
        QueryAgent = "query_agent",
        /// An execution of an agent.
        AgentExecution = "agent_execution",
        /// A user was created.
        UserCreated = "user_created",
        /// A user was changed.
        UserUpdated = "user_updated",
        /// A user was deleted.
        UserDeleted = "user_deleted",
        /// A session was created.
        SessionCreated = "session_created",
        /// A session was ended.
        SessionEnded = "session_ended",
        /// A setting was changed.
        ConfigChanged = "config_changed",
        /// A password was changed.
        PasswordChanged = "password_changed",
        /// An API token was created.
        TokenCreated = "token_created",
        /// An API token or a login session was revoked.
        TokenRevoked = "token_revoked",
        /// A refresh token was used a second time; its login session was ended.
        TokenReuse = "token_reuse",
        /// A session was updated.
        SessionUpdated = "session_updated",
        /// A session was deleted.
        SessionDeleted = "session_deleted",
        /// A request was denied because a role, a scope or the ownership was missing.
        AccessDenied = "access_denied",
        /// A request exceeded a limit.
        LimitExceeded = "limit_exceeded",
    }
}

/// An audit log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLog {
    pub id: AuditLogId,
    /// The user who acted; `None` for the system itself, and after the user was deleted.
    pub user_id: Option<UserId>,
    /// The name of the user at that time; `None` in entries of earlier programs.
    pub username: Option<String>,
    pub action: AuditAction,
    pub details: Option<RawJson>,
    pub description: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub success: bool,
    pub timestamp: Timestamp,
}
