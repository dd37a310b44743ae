//! The rounds of a loader: when it reads, and how its callers learn of the answer. See `docs/decisions/001-loader-batches.md`.

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

/// More keys than any request may ask for: a batch is never cut.
const MAX_BATCH: usize = 100_000;

/// A loader that reads when no sibling has a key to add any more, and then answers all of them at once.
///
/// The crate's own waiting lets every caller pause a fixed number of times. How many are enough depends on the shape of
/// the query: too few split a batch, and each one costs a turn of every caller. Here one caller waits for all.
pub struct Batched<K, V, F>
where
    K: Eq + Hash + Clone,
    V: Clone,
    F: BatchFn<K, V>,
{
    batch: F,
    /// Made at the first use: most requests need few of their loaders.
    loader: OnceLock<Loader<K, V, F>>,
    /// The round that still takes keys.
    open: Mutex<Option<Arc<Round<K, V>>>>,
}

/// The keys of one batch, and its answers.
struct Round<K, V> {
    keys: Mutex<Vec<K>>,
    /// Set by the first caller; should that one be dropped, by the next.
    answers: OnceCell<Result<HashMap<K, V>>>,
}

impl<K, V, F> Batched<K, Result<V>, F>
where
    K: Eq + Hash + Clone + std::fmt::Debug,
    V: Clone,
    F: BatchFn<K, Result<V>> + Clone,
{
    pub(super) fn new(batch: F) -> Self {
        Self { batch, loader: OnceLock::new(), open: Mutex::new(None) }
    }

    /// The value of the key, read together with those of its siblings.
    pub async fn load(&self, key: K) -> Result<V> {
        let round = self.join(std::slice::from_ref(&key));
        answer(self.answers(&round).await?, &key)
    }

    /// The same for several keys, in their order.
    pub async fn load_many(&self, keys: Vec<K>) -> Result<Vec<V>> {
        let round = self.join(&keys);
        let answers = self.answers(&round).await?;
        keys.iter().map(|key| answer(answers, key)).collect()
    }

    fn join(&self, keys: &[K]) -> Arc<Round<K, Result<V>>> {
        let mut open = lock(&self.open);
        let round =
            open.get_or_insert_with(|| Arc::new(Round { keys: Mutex::new(Vec::new()), answers: OnceCell::new() }));
        lock(&round.keys).extend_from_slice(keys);
        Arc::clone(round)
    }

    /// Only one caller reads; in a box, as all the others would carry the room for it too.
    async fn answers<'r>(&self, round: &'r Arc<Round<K, Result<V>>>) -> Result<&'r HashMap<K, Result<V>>> {
        round.answers.get_or_init(|| Box::pin(self.run(round))).await.as_ref().map_err(Clone::clone)
    }

    async fn run(&self, round: &Arc<Round<K, Result<V>>>) -> Result<HashMap<K, Result<V>>> {
        // Two turns without a new key: in rare cases the scheduler comes back once before the last sibling had its turn.
        let (mut joined, mut quiet) = (0, 0);
        while quiet < 2 {
            turn().await;
            let keys = lock(&round.keys).len();
            quiet = if keys == joined { quiet + 1 } else { 0 };
            joined = keys;
        }
        lock(&self.open).take_if(|open| Arc::ptr_eq(open, round));
        let keys = lock(&round.keys).clone();
        let loader = || Loader::new(self.batch.clone()).with_max_batch_size(MAX_BATCH).with_yield_count(0);
        self.loader.get_or_init(loader).try_load_many(keys).await.map_err(Error::internal)
    }
}

fn answer<K: Eq + Hash, V: Clone>(answers: &HashMap<K, Result<V>>, key: &K) -> Result<V> {
    answers.get(key).cloned().unwrap_or_else(|| Err(Error::internal("a batch left a key unanswered")))
}

/// Lets the rest of the request run until it has nothing left to do but wait.
///
/// `yield_now` alone would be over at any poll, and a field is polled whenever a neighbour has news; this one is over
/// when the scheduler, having finished with the request's task, comes back to it.
async fn turn() {
    struct Returned {
        flag: AtomicBool,
        waker: Mutex<Option<Waker>>,
    }
    impl Wake for Returned {
        fn wake(self: Arc<Self>) {
            self.flag.store(true, Ordering::Release);
            if let Some(waker) = lock(&self.waker).take() {
                waker.wake();
            }
        }
    }
    let returned = Arc::new(Returned { flag: AtomicBool::new(false), waker: Mutex::new(None) });
    let ours = Waker::from(Arc::clone(&returned));
    let mut yielding = pin!(tokio::task::yield_now());
    let mut asked = false;
    poll_fn(move |cx| {
        *lock(&returned.waker) = Some(cx.waker().clone());
        if !asked {
            asked = true;
            // Its readiness is told by the waker.
            let _ = yielding.as_mut().poll(&mut Context::from_waker(&ours));
        }
        if returned.flag.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Nothing panics while it holds one of these locks, and none is held across an await.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
