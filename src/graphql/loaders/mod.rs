//! The loaders of one request (the `DataLoader` pattern): one statement reads the rows that sibling fields need.
//!
//! 1. A resolver calls `load` with a key.
//! 2. [`batch_loader`] collects the keys of all siblings in a batch, without duplicates.
//! 3. The batch function of the family ([`by_id`], [`by_owned_id`], [`by_user`]) reads the rows through [`crate::db::list`], and
//!    returns a value or an error for each key.
//!
//! A key contains all arguments of its field. A batch is split by these arguments only, so the fields of one selection
//! set cost one statement, and nothing but the page size limits what it returns.

mod batch_loader;
mod by_id;
mod by_owned_id;
mod by_user;

use std::sync::Arc;

use uuid::Uuid;

use self::{
    batch_loader::BatchLoader,
    by_id::{IdBatch, MaybeRow},
    by_owned_id::OwnedIdBatch,
    by_user::UserBatch,
};
pub use self::{
    by_owned_id::OwnedId,
    by_user::{CountKey, PageKey},
};
use crate::{
    db::{Db, query::Page},
    error::Result,
    model::{ApiToken, AuditLog, AuthSession, Session, User},
};

type IdLoader<T> = BatchLoader<Uuid, MaybeRow<T>, IdBatch<T>>;
type OwnedIdLoader<T> = BatchLoader<OwnedId, MaybeRow<T>, OwnedIdBatch<T>>;
type PageLoader<T> = BatchLoader<PageKey, Result<Arc<Page<T>>>, UserBatch<T>>;
type CountLoader<T> = BatchLoader<CountKey, Result<i64>, UserBatch<T>>;

/// The loaders of one request.
pub struct Loaders {
    pub users: IdLoader<User>,
    pub sessions: IdLoader<Session>,
    pub audit_logs: IdLoader<AuditLog>,
    pub auth_sessions: OwnedIdLoader<AuthSession>,
    pub api_tokens: OwnedIdLoader<ApiToken>,
    pub sessions_by_user: PageLoader<Session>,
    pub audit_logs_by_user: PageLoader<AuditLog>,
    pub auth_sessions_by_user: PageLoader<AuthSession>,
    pub api_tokens_by_user: PageLoader<ApiToken>,
    pub session_counts_by_user: CountLoader<Session>,
    pub audit_log_counts_by_user: CountLoader<AuditLog>,
    pub auth_session_counts_by_user: CountLoader<AuthSession>,
    pub api_token_counts_by_user: CountLoader<ApiToken>,
}

impl Loaders {
    /// Loaders without any key, which read through this database handle.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        Self {
            users: BatchLoader::new(IdBatch::new(db)),
            sessions: BatchLoader::new(IdBatch::new(db)),
            audit_logs: BatchLoader::new(IdBatch::new(db)),
            auth_sessions: BatchLoader::new(OwnedIdBatch::new(db)),
            api_tokens: BatchLoader::new(OwnedIdBatch::new(db)),
            sessions_by_user: BatchLoader::new(UserBatch::new(db)),
            audit_logs_by_user: BatchLoader::new(UserBatch::new(db)),
            auth_sessions_by_user: BatchLoader::new(UserBatch::new(db)),
            api_tokens_by_user: BatchLoader::new(UserBatch::new(db)),
            session_counts_by_user: BatchLoader::new(UserBatch::new(db)),
            audit_log_counts_by_user: BatchLoader::new(UserBatch::new(db)),
            auth_session_counts_by_user: BatchLoader::new(UserBatch::new(db)),
            api_token_counts_by_user: BatchLoader::new(UserBatch::new(db)),
        }
    }
}

impl std::fmt::Debug for Loaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaders").finish_non_exhaustive()
    }
}
