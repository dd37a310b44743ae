//! One set of loaders per request: what sibling fields ask for is gathered and read in one statement.
//!
//! A key carries all arguments of its field. A batch is split by those arguments only, so the siblings of one
//! selection cost one statement; that statement has no limit of its own beyond the page per parent.

use std::{collections::HashMap, hash::Hash, marker::PhantomData, sync::Arc};

use dataloader::{BatchFn, cached::Loader};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::{
    db::{
        Db, audit_logs,
        page::{Page, Slice},
        sessions, users,
    },
    error::{Error, Result},
    model::{AuditLog, Session, User, UserId},
};

/// More keys than any request may ask for: a batch is never cut.
const MAX_BATCH: usize = 100_000;
/// How often a loader lets other fields run before it reads. One round reaches all siblings of a list.
const YIELDS: usize = 1;

type Found<T> = Result<Option<Arc<T>>>;
type FoundPage<T> = Result<Arc<Slice<T>>>;

/// The loaders of one request.
pub struct Loaders {
    pub users: Batched<Uuid, Found<User>, IdBatch<User>>,
    pub sessions: Batched<Uuid, Found<Session>, IdBatch<Session>>,
    pub audit_logs: Batched<Uuid, Found<AuditLog>, IdBatch<AuditLog>>,
    pub sessions_of: Batched<PageOf, FoundPage<Session>, PageBatch<Session>>,
    pub audit_logs_of: Batched<PageOf, FoundPage<AuditLog>, PageBatch<AuditLog>>,
}

/// A page of what belongs to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageOf {
    pub user: UserId,
    pub page: Page,
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
        }
    }
}

impl std::fmt::Debug for Loaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaders").finish_non_exhaustive()
    }
}

/// A loader whose values are results, so that a failed batch is the error of each of its keys.
pub struct Batched<K, V, F>(Loader<K, V, F>)
where
    K: Eq + Hash + Clone,
    V: Clone,
    F: BatchFn<K, V>;

impl<K, V, F> Batched<K, Result<V>, F>
where
    K: Eq + Hash + Clone + std::fmt::Debug,
    V: Clone,
    F: BatchFn<K, Result<V>>,
{
    fn new(batch: F) -> Self {
        Self(Loader::new(batch).with_max_batch_size(MAX_BATCH).with_yield_count(YIELDS))
    }

    /// The value of the key, read together with those of its siblings.
    pub async fn load(&self, key: K) -> Result<V> {
        self.0.try_load(key).await.unwrap_or_else(|unanswered| Err(Error::internal(unanswered)))
    }
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
        page: &Page,
    ) -> impl Future<Output = Result<HashMap<UserId, Slice<Self>>>> + Send;
}

/// Reads rows by their ids.
pub struct IdBatch<T>(Db, PhantomData<fn() -> T>);

/// Reads a page for each of many users.
pub struct PageBatch<T>(Db, PhantomData<fn() -> T>);

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
        let mut by_page: HashMap<Page, Vec<UserId>> = HashMap::new();
        for key in keys {
            by_page.entry(key.page).or_default().push(key.user);
        }
        let db = &self.0;
        let groups = by_page.into_iter().map(async |(page, users)| match T::pages_of(db, &users, &page).await {
            Ok(mut pages) => users
                .into_iter()
                .map(|user| (PageOf { user, page }, Ok(Arc::new(pages.remove(&user).unwrap_or_default()))))
                .collect::<Vec<_>>(),
            Err(error) => users.into_iter().map(|user| (PageOf { user, page }, Err(error.clone()))).collect(),
        });
        join_all(groups).await.into_iter().flatten().collect()
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
        page: &Page,
    ) -> impl Future<Output = Result<HashMap<UserId, Slice<Self>>>> + Send {
        sessions::pages_of(db, users, page)
    }
}

impl OfUser for AuditLog {
    fn pages_of(
        db: &Db,
        users: &[UserId],
        page: &Page,
    ) -> impl Future<Output = Result<HashMap<UserId, Slice<Self>>>> + Send {
        audit_logs::pages_of(db, users, page)
    }
}
