//! Invalidation of the authentication cache: the generation of the users, login sessions and API tokens.
//! See `docs/decisions/009-authentication-cache.md`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Tx, statement::Statement};
use crate::error::Result;

/// The generation of one database in this process; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct AuthGeneration(Arc<AtomicU64>);

/// Increases the generation when it is dropped.
#[derive(Debug)]
pub(super) struct AuthChangeGuard(AuthGeneration);

/// A transaction for one statement that changes or deletes users, login sessions or API tokens. [`Tx::accounts`] is the only
/// way to get one, so the generation cannot be forgotten.
#[derive(Debug)]
pub struct AccountsTx<'tx>(&'tx mut Tx);

impl AuthGeneration {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for AuthChangeGuard {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Release);
    }
}

impl Tx {
    /// The transaction for a statement that changes accounts. The generation increases when the transaction ends: after a
    /// commit, a rollback, and a commit whose outcome is unknown.
    pub fn accounts(&mut self) -> AccountsTx<'_> {
        self.auth_change.get_or_insert_with(|| AuthChangeGuard(self.auth_generation.clone()));
        AccountsTx(self)
    }
}

impl<'tx> AccountsTx<'tx> {
    pub(super) async fn start_statement(self) -> Result<Statement<'tx>> {
        self.0.start_statement().await
    }
}
