//! Counts the transactions of this process that changed users, logins or API tokens, for whoever keeps what was read of
//! them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The count; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct AuthGeneration(Arc<AtomicU64>);

/// A change that counts when this is dropped: when it was committed, and also when nobody knows whether it was.
#[derive(Debug)]
pub(super) struct AuthChangeGuard(AuthGeneration);

impl AuthGeneration {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub fn begin(&self) -> AuthChangeGuard {
        AuthChangeGuard(self.clone())
    }
}

impl Drop for AuthChangeGuard {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Release);
    }
}
