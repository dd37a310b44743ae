//! Limits the concurrent statements of one principal. Further statements wait, first come first served.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The statement limit of one request: none, or the permits of its principal, shared with the principal's other requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatementPermits(Option<Arc<Limited>>);

#[derive(Debug)]
struct Limited {
    permits: Arc<Semaphore>,
    /// The number of transactions that this request has open.
    transactions: AtomicUsize,
}

/// The permit for one statement or one transaction, which holds it from before it acquires a connection until it ends.
#[derive(Debug)]
pub(crate) struct StatementPermit {
    _permit: Option<OwnedSemaphorePermit>,
    transaction_of: Option<Arc<Limited>>,
}

impl StatementPermits {
    pub(in crate::db) fn limited(permits: Arc<Semaphore>) -> Self {
        Self(Some(Arc::new(Limited { permits, transactions: AtomicUsize::new(0) })))
    }

    /// Waits for a permit. A request that has a transaction open does not wait: the statement that holds the permit might
    /// itself wait for that transaction.
    pub(in crate::db) async fn statement(&self) -> Option<StatementPermit> {
        let limited = self.0.as_ref()?;
        if limited.transactions.load(Relaxed) > 0 {
            return None;
        }
        Some(StatementPermit { _permit: limited.acquire().await, transaction_of: None })
    }

    /// Waits for a permit for a transaction.
    pub(in crate::db) async fn transaction(&self) -> Option<StatementPermit> {
        let limited = self.0.as_ref()?;
        let permit = if limited.transactions.load(Relaxed) > 0 { None } else { limited.acquire().await };
        limited.transactions.fetch_add(1, Relaxed);
        Some(StatementPermit { _permit: permit, transaction_of: Some(Arc::clone(limited)) })
    }
}

impl Limited {
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        // The permits are never closed.
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }
}

impl Drop for StatementPermit {
    fn drop(&mut self) {
        if let Some(limited) = &self.transaction_of {
            limited.transactions.fetch_sub(1, Relaxed);
        }
    }
}
