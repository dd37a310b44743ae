//! One set of loaders per request: what sibling fields ask for is gathered and read in one statement.
//!
//! A key carries all arguments of its field. A batch is split by those arguments only, so the siblings of one
//! selection cost one statement; that statement has no limit of its own beyond the page per parent.

use std::{
    collections::HashMap,
    future::poll_fn,
    hash::Hash,
    marker::PhantomData,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use dataloader::{BatchFn, cached::Loader};
use futures_util::future::join_all;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    db::{
        Db, audit_logs,
        filter::Filter,
        page::{Listing, Slice},
        sessions, users,
    },
    error::{Error, Result},
    model::{AuditLog, Session, User, UserId},
};

/// More keys than any request may ask for: a batch is never cut.
const MAX_BATCH: usize = 100_000;

type Found<T> = Result<Option<Arc<T>>>;
type FoundPage<T> = Result<Arc<Slice<T>>>;

/// The loaders of one request.
pub struct Loaders {
    pub users: Batched<Uuid, Found<User>, IdBatch<User>>,
    pub sessions: Batched<Uuid, Found<Session>, IdBatch<Session>>,
    pub audit_logs: Batched<Uuid, Found<AuditLog>, IdBatch<AuditLog>>,
    pub sessions_of: Batched<PageOf, FoundPage<Session>, PageBatch<Session>>,
    pub audit_logs_of: Batched<PageOf, FoundPage<AuditLog>, PageBatch<AuditLog>>,
    pub session_counts_of: Batched<CountOf, Result<i64>, CountBatch<Session>>,
    pub audit_log_counts_of: Batched<CountOf, Result<i64>, CountBatch<AuditLog>>,
}

/// A page of what belongs to a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageOf {
    pub user: UserId,
    pub listing: Arc<Listing>,
}

/// How much belongs to a user and passes the filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CountOf {
    pub user: UserId,
    pub filter: Arc<Option<Filter>>,
}

impl Loaders {
    /// Empty loaders over the request's database handle.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        Self {
            users: Batched::new(IdBatch::new(db)),
            sessions: Batched::new(IdBatch::new(db)),
            audit_logs: Batched::new(IdBatch::new(db)),
            sessions_of: Batched::new(PageBatch::new(db)),
            audit_logs_of: Batched::new(PageBatch::new(db)),
            session_counts_of: Batched::new(CountBatch::new(db)),
            audit_log_counts_of: Batched::new(CountBatch::new(db)),
        }
    }
}

impl std::fmt::Debug for Loaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaders").finish_non_exhaustive()
    }
}

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
    loader: Loader<K, V, F>,
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
    F: BatchFn<K, Result<V>>,
{
    fn new(batch: F) -> Self {
        let loader = Loader::new(batch).with_max_batch_size(MAX_BATCH).with_yield_count(0);
        Self { loader, open: Mutex::new(None) }
    }

    /// The value of the key, read together with those of its siblings.
    pub async fn load(&self, key: K) -> Result<V> {
        let round = {
            let mut open = lock(&self.open);
            let round =
                open.get_or_insert_with(|| Arc::new(Round { keys: Mutex::new(Vec::new()), answers: OnceCell::new() }));
            lock(&round.keys).push(key.clone());
            Arc::clone(round)
        };
        let answers = round.answers.get_or_init(|| self.run(&round)).await.as_ref().map_err(Clone::clone)?;
        answers.get(&key).cloned().unwrap_or_else(|| Err(Error::internal("a batch left a key unanswered")))
    }

    async fn run(&self, round: &Arc<Round<K, Result<V>>>) -> Result<HashMap<K, Result<V>>> {
        let mut joined = 0;
        loop {
            let keys = lock(&round.keys).len();
            if keys == joined {
                break;
            }
            joined = keys;
            turn().await;
        }
        lock(&self.open).take_if(|open| Arc::ptr_eq(open, round));
        let keys = lock(&round.keys).clone();
        self.loader.try_load_many(keys).await.map_err(Error::internal)
    }
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

/// Something with an id of its own.
pub trait ById: Sized + Send + Sync {
    fn id(&self) -> Uuid;
    fn list_of(db: &Db, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Self>>> + Send;
}

/// Something that belongs to a user and is read in pages.
pub trait OfUser: Sized + Send + Sync {
    fn pages_of(
        db: &Db,
        users: &[UserId],
        listing: &Listing,
    ) -> impl Future<Output = Result<HashMap<UserId, Slice<Self>>>> + Send;
    fn counts_of(
        db: &Db,
        users: &[UserId],
        filter: Option<&Filter>,
    ) -> impl Future<Output = Result<HashMap<UserId, i64>>> + Send;
}

/// Reads rows by their ids.
pub struct IdBatch<T>(Db, PhantomData<fn() -> T>);

/// Reads a page for each of many users.
pub struct PageBatch<T>(Db, PhantomData<fn() -> T>);

/// Counts for each of many users.
pub struct CountBatch<T>(Db, PhantomData<fn() -> T>);

impl<T> IdBatch<T> {
    fn new(db: &Db) -> Self {
        Self(db.clone(), PhantomData)
    }
}

impl<T> PageBatch<T> {
    fn new(db: &Db) -> Self {
        Self(db.clone(), PhantomData)
    }
}

impl<T> CountBatch<T> {
    fn new(db: &Db) -> Self {
        Self(db.clone(), PhantomData)
    }
}

impl<T: ById> BatchFn<Uuid, Found<T>> for IdBatch<T> {
    async fn load(&mut self, ids: &[Uuid]) -> HashMap<Uuid, Found<T>> {
        match T::list_of(&self.0, ids).await {
            Ok(rows) => {
                let mut found: HashMap<_, _> = ids.iter().map(|id| (*id, Ok(None))).collect();
                found.extend(rows.into_iter().map(|row| (row.id(), Ok(Some(Arc::new(row))))));
                found
            }
            Err(error) => ids.iter().map(|id| (*id, Err(error.clone()))).collect(),
        }
    }
}

impl<T: OfUser> BatchFn<PageOf, FoundPage<T>> for PageBatch<T> {
    async fn load(&mut self, keys: &[PageOf]) -> HashMap<PageOf, FoundPage<T>> {
        let db = &self.0;
        let groups = grouped(keys.iter().map(|key| (&key.listing, key.user)));
        let groups = groups.into_iter().map(async |(listing, users)| {
            let pages = T::pages_of(db, &users, listing).await;
            answer_each(
                users,
                pages,
                |page| Arc::new(page.unwrap_or_default()),
                |user| PageOf { user, listing: Arc::clone(listing) },
            )
        });
        join_all(groups).await.into_iter().flatten().collect()
    }
}

impl<T: OfUser> BatchFn<CountOf, Result<i64>> for CountBatch<T> {
    async fn load(&mut self, keys: &[CountOf]) -> HashMap<CountOf, Result<i64>> {
        let db = &self.0;
        let groups = grouped(keys.iter().map(|key| (&key.filter, key.user)));
        let groups = groups.into_iter().map(async |(filter, users)| {
            let counts = T::counts_of(db, &users, Option::as_ref(filter)).await;
            answer_each(users, counts, Option::unwrap_or_default, |user| CountOf { user, filter: Arc::clone(filter) })
        });
        join_all(groups).await.into_iter().flatten().collect()
    }
}

/// The users that ask with the same arguments: normally there is one group.
fn grouped<'a, A: Eq + Hash>(keys: impl Iterator<Item = (&'a Arc<A>, UserId)>) -> HashMap<&'a Arc<A>, Vec<UserId>> {
    let mut groups: HashMap<_, Vec<UserId>> = HashMap::new();
    for (arguments, user) in keys {
        groups.entry(arguments).or_default().push(user);
    }
    groups
}

/// Every user of a group gets a value, or the error that the group met.
fn answer_each<K, V, R>(
    users: Vec<UserId>,
    rows: Result<HashMap<UserId, R>>,
    value: impl Fn(Option<R>) -> V,
    key: impl Fn(UserId) -> K,
) -> Vec<(K, Result<V>)> {
    match rows {
        Ok(mut rows) => users.into_iter().map(|user| (key(user), Ok(value(rows.remove(&user))))).collect(),
        Err(error) => users.into_iter().map(|user| (key(user), Err(error.clone()))).collect(),
    }
}

impl ById for User {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    fn list_of(db: &Db, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Self>>> + Send {
        users::list_of(db, ids)
    }
}

impl ById for Session {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    fn list_of(db: &Db, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Self>>> + Send {
        sessions::list_of(db, ids)
    }
}

impl ById for AuditLog {
    fn id(&self) -> Uuid {
        self.id.into()
    }

    fn list_of(db: &Db, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Self>>> + Send {
        audit_logs::list_of(db, ids)
    }
}

impl OfUser for Session {
    fn pages_of(
        db: &Db,
        users: &[UserId],
        listing: &Listing,
    ) -> impl Future<Output = Result<HashMap<UserId, Slice<Self>>>> + Send {
        sessions::pages_of(db, users, listing)
    }

    fn counts_of(
        db: &Db,
        users: &[UserId],
        filter: Option<&Filter>,
    ) -> impl Future<Output = Result<HashMap<UserId, i64>>> + Send {
        sessions::counts_of(db, users, filter)
    }
}

impl OfUser for AuditLog {
    fn pages_of(
        db: &Db,
        users: &[UserId],
        listing: &Listing,
    ) -> impl Future<Output = Result<HashMap<UserId, Slice<Self>>>> + Send {
        audit_logs::pages_of(db, users, listing)
    }

    fn counts_of(
        db: &Db,
        users: &[UserId],
        filter: Option<&Filter>,
    ) -> impl Future<Output = Result<HashMap<UserId, i64>>> + Send {
        audit_logs::counts_of(db, users, filter)
    }
}
