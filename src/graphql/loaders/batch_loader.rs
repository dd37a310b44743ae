//! Collects the keys of sibling fields in a batch, dispatches the batch once, and gives each field its value. See
//! `docs/decisions/001-loader-batches.md`.

use std::{
    collections::HashMap,
    future::poll_fn,
    hash::Hash,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use dataloader::{BatchFn, cached::Loader};
use tokio::sync::OnceCell;

use crate::error::{Error, Result};

/// More keys than the limits on documents allow: a batch is never split.
const MAX_BATCH: usize = 100_000;

/// A loader that dispatches its batch when no sibling adds a key any more.
///
/// Instead, the `dataloader` crate would make each `load` yield a fixed number of times. No number is right: if it is too
/// small for the shape of the query, a batch is split; if it is larger, every `load` pays for it. Here the first `load` of
/// a batch waits on behalf of all.
pub struct BatchLoader<K, V, F>
where
    K: Eq + Hash + Clone,
    V: Clone,
    F: BatchFn<K, V>,
{
    batch_fn: F,
    /// Created at first use: most requests use few of their loaders.
    loader: OnceLock<Loader<K, V, F>>,
    /// The batch that accepts keys.
    open_batch: Mutex<Option<Arc<Batch<K, V>>>>,
}

/// The keys of one batch, and their values once they are loaded.
struct Batch<K, V> {
    keys: Mutex<Vec<K>>,
    /// Set by the first `load`; if that future is dropped, by the next one.
    values: OnceCell<Result<HashMap<K, V>>>,
}

impl<K, V, F> BatchLoader<K, Result<V>, F>
where
    K: Eq + Hash + Clone + std::fmt::Debug,
    V: Clone,
    F: BatchFn<K, Result<V>> + Clone,
{
    pub fn new(batch_fn: F) -> Self {
        Self { batch_fn, loader: OnceLock::new(), open_batch: Mutex::new(None) }
    }

    /// The value of the key, loaded in one batch with the keys of its siblings.
    pub async fn load(&self, key: K) -> Result<V> {
        let batch = self.add_to_batch(std::slice::from_ref(&key));
        value_of(self.values(&batch).await?, &key)
    }

    /// The values of several keys, in the same order.
    pub async fn load_many(&self, keys: Vec<K>) -> Result<Vec<V>> {
        let batch = self.add_to_batch(&keys);
        let values = self.values(&batch).await?;
        keys.iter().map(|key| value_of(values, key)).collect()
    }

    fn add_to_batch(&self, keys: &[K]) -> Arc<Batch<K, Result<V>>> {
        let mut open_batch = lock(&self.open_batch);
        let new_batch = || Arc::new(Batch { keys: Mutex::new(Vec::new()), values: OnceCell::new() });
        let batch = open_batch.get_or_insert_with(new_batch);
        lock(&batch.keys).extend_from_slice(keys);
        Arc::clone(batch)
    }

    /// One `load` dispatches the batch and the others wait. The future is boxed, or every `load` would reserve room for it.
    async fn values<'b>(&self, batch: &'b Arc<Batch<K, Result<V>>>) -> Result<&'b HashMap<K, Result<V>>> {
        batch.values.get_or_init(|| Box::pin(self.dispatch(batch))).await.as_ref().map_err(Clone::clone)
    }

    async fn dispatch(&self, batch: &Arc<Batch<K, Result<V>>>) -> Result<HashMap<K, Result<V>>> {
        // Two yields without a new key: in rare cases the scheduler returns once before it has polled the last sibling.
        let (mut key_count, mut quiet_yields) = (0, 0);
        while quiet_yields < 2 {
            yield_to_scheduler().await;
            let keys = lock(&batch.keys).len();
            quiet_yields = if keys == key_count { quiet_yields + 1 } else { 0 };
            key_count = keys;
        }
        lock(&self.open_batch).take_if(|open_batch| Arc::ptr_eq(open_batch, batch));
        let keys = lock(&batch.keys).clone();
        let loader = || Loader::new(self.batch_fn.clone()).with_max_batch_size(MAX_BATCH).with_yield_count(0);
        self.loader.get_or_init(loader).try_load_many(keys).await.map_err(Error::internal)
    }
}

fn value_of<K: Eq + Hash, V: Clone>(values: &HashMap<K, Result<V>>, key: &K) -> Result<V> {
    values.get(key).cloned().unwrap_or_else(|| Err(Error::internal("a batch function returned no value for a key")))
}

/// Completes when the scheduler has run everything else in this request that is ready.
///
/// `yield_now` alone completes at its next poll, and a future is polled whenever one of its siblings is woken. This future
/// completes only after the scheduler itself has woken it.
async fn yield_to_scheduler() {
    struct SchedulerWaker {
        is_woken: AtomicBool,
        task: Mutex<Option<Waker>>,
    }
    impl Wake for SchedulerWaker {
        fn wake(self: Arc<Self>) {
            self.is_woken.store(true, Ordering::Release);
            if let Some(task) = lock(&self.task).take() {
                task.wake();
            }
        }
    }
    let state = Arc::new(SchedulerWaker { is_woken: AtomicBool::new(false), task: Mutex::new(None) });
    let waker = Waker::from(Arc::clone(&state));
    let mut yield_now = pin!(tokio::task::yield_now());
    let mut has_yielded = false;
    poll_fn(move |cx| {
        *lock(&state.task) = Some(cx.waker().clone());
        if !has_yielded {
            has_yielded = true;
            // Its result is not needed: the waker reports that the scheduler has returned.
            let _ = yield_now.as_mut().poll(&mut Context::from_waker(&waker));
        }
        if state.is_woken.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// No code panics or awaits while it holds one of these locks, so they are never poisoned.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
