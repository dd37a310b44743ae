//! Sessions with agents.

use super::{RawJson, SessionId, Timestamp, UserId};

/// A conversation with an agent: a LangGraph thread. Login sessions are [`AuthSession`](super::AuthSession).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub thread_id: Option<String>,
    pub context: Option<RawJson>,
    pub title: Option<String>,
    pub is_active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}
