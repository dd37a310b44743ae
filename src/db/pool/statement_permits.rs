//! How many statements one principal has in the database at the same time: the rest waits its turn, first come first served.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The statements of one request: without limit, or with the permits of its principal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statements(Option<Arc<Limited>>);

#[derive(Debug)]
struct Limited {
    permits: Arc<Semaphore>,
    /// Transactions that this request has open.
    transactions: AtomicUsize,
}

/// One of a principal's statements. A transaction holds it from before it has a connection until it ends.
#[derive(Debug)]
pub(crate) struct Permit {
    _permit: Option<OwnedSemaphorePermit>,
    transaction_of: Option<Arc<Limited>>,
}

impl Statements {
    pub(in crate::db) fn limited(permits: Arc<Semaphore>) -> Self {
        Self(Some(Arc::new(Limited { permits, transactions: AtomicUsize::new(0) })))
    }

    /// Waits for one of the principal's permits. A request that has a transaction open gets through in any case: what it
    /// waited for might wait for the transaction.
    pub(in crate::db) async fn permit(&self) -> Option<Permit> {
        let limited = self.0.as_ref()?;
        if limited.transactions.load(Relaxed) > 0 {
            return None;
        }
        Some(Permit { _permit: limited.acquire().await, transaction_of: None })
    }

    /// The same for a transaction.
    pub(in crate::db) async fn transaction(&self) -> Option<Permit> {
        let limited = self.0.as_ref()?;
        let permit = if limited.transactions.load(Relaxed) > 0 { None } else { limited.acquire().await };
        limited.transactions.fetch_add(1, Relaxed);
        Some(Permit { _permit: permit, transaction_of: Some(Arc::clone(limited)) })
    }
}

impl Limited {
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        // The permits are never closed.
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(limited) = &self.transaction_of {
            limited.transactions.fetch_sub(1, Relaxed);
        }
    }
}
