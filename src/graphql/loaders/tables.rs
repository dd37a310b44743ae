//! The functions of [`crate::db`] that read each type.

use std::collections::HashMap;

use uuid::Uuid;

use super::{by_id::ById, by_owned_id::ByOwnedId, by_user::ByUser};
use crate::{
    db::{
        Db, api_tokens, audit_logs, auth_sessions,
        query::{Filter, ListQuery, Page},
        sessions, users,
    },
    error::Result,
    model::{ApiToken, AuditLog, AuthSession, Session, User, UserId},
};

impl ById for User {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    async fn by_ids(db: &Db, ids: &[Uuid]) -> Result<Vec<Self>> {
        users::by_ids(db, ids).await
    }
}

impl ById for Session {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    async fn by_ids(db: &Db, ids: &[Uuid]) -> Result<Vec<Self>> {
        sessions::by_ids(db, ids).await
    }
}

impl ById for AuditLog {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    async fn by_ids(db: &Db, ids: &[Uuid]) -> Result<Vec<Self>> {
        audit_logs::by_ids(db, ids).await
    }
}

impl ByOwnedId for AuthSession {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    async fn by_ids(db: &Db, ids: &[Uuid], owner: Option<UserId>) -> Result<Vec<Self>> {
        auth_sessions::by_ids(db, ids, owner).await
    }
}

impl ByOwnedId for ApiToken {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    async fn by_ids(db: &Db, ids: &[Uuid], owner: Option<UserId>) -> Result<Vec<Self>> {
        api_tokens::by_ids(db, ids, owner).await
    }
}

impl ByUser for Session {
    async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<Self>>> {
        sessions::pages_by_user(db, users, query).await
    }

    async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
        sessions::counts_by_user(db, users, filter).await
    }
}

impl ByUser for AuditLog {
    async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<Self>>> {
        audit_logs::pages_by_user(db, users, query).await
    }

    async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
        audit_logs::counts_by_user(db, users, filter).await
    }
}

impl ByUser for AuthSession {
    async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<Self>>> {
        auth_sessions::pages_by_user(db, users, query).await
    }

    async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
        auth_sessions::counts_by_user(db, users, filter).await
    }
}

impl ByUser for ApiToken {
    async fn pages_by_user(db: &Db, users: &[UserId], query: &ListQuery) -> Result<HashMap<UserId, Page<Self>>> {
        api_tokens::pages_by_user(db, users, query).await
    }

    async fn counts_by_user(db: &Db, users: &[UserId], filter: Option<&Filter>) -> Result<HashMap<UserId, i64>> {
        api_tokens::counts_by_user(db, users, filter).await
    }
}
