//! One set of loaders per request: what sibling fields ask for is gathered and read in one statement.
//!
//! A key carries all arguments of its field. A batch is split by those arguments only, so the siblings of one
//! selection cost one statement; that statement has no limit of its own beyond the page per parent.

mod batched;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use dataloader::BatchFn;
use futures_util::future::join_all;
use uuid::Uuid;

use self::batched::Batched;
use crate::{
    db::{
        Db, api_tokens, audit_logs, auth_sessions,
        query::{Filter, ListQuery, Page},
        sessions, users,
    },
    error::Result,
    model::{ApiToken, AuditLog, AuthSession, Session, User, UserId},
};

type Found<T> = Result<Option<Arc<T>>>;
type FoundPage<T> = Result<Arc<Page<T>>>;

/// The loaders of one request.
pub struct Loaders {
    pub users: Batched<Uuid, Found<User>, IdBatch<User>>,
    pub sessions: Batched<Uuid, Found<Session>, IdBatch<Session>>,
    pub audit_logs: Batched<Uuid, Found<AuditLog>, IdBatch<AuditLog>>,
    pub auth_sessions: Batched<IdOf, Found<AuthSession>, IdOfBatch<AuthSession>>,
    pub api_tokens: Batched<IdOf, Found<ApiToken>, IdOfBatch<ApiToken>>,
    pub sessions_of: Batched<PageOf, FoundPage<Session>, PageBatch<Session>>,
    pub audit_logs_of: Batched<PageOf, FoundPage<AuditLog>, PageBatch<AuditLog>>,
    pub auth_sessions_of: Batched<PageOf, FoundPage<AuthSession>, PageBatch<AuthSession>>,
    pub api_tokens_of: Batched<PageOf, FoundPage<ApiToken>, PageBatch<ApiToken>>,
    pub session_counts_of: Batched<CountOf, Result<i64>, CountBatch<Session>>,
    pub audit_log_counts_of: Batched<CountOf, Result<i64>, CountBatch<AuditLog>>,
    pub auth_session_counts_of: Batched<CountOf, Result<i64>, CountBatch<AuthSession>>,
    pub api_token_counts_of: Batched<CountOf, Result<i64>, CountBatch<ApiToken>>,
}

/// The id of something, found only if it belongs to this user, where one is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdOf {
    pub id: Uuid,
    pub owner: Option<UserId>,
}

/// A page of what belongs to a user.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageOf {
    user: UserId,
    list_query: Arguments<ListQuery>,
}

/// How much belongs to a user and passes the filter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CountOf {
    user: UserId,
    filter: Arguments<Option<Filter>>,
}

/// Short, as the `dataloader` crate prints every key of every batch, for an error that hardly ever comes.
macro_rules! debug_by_user {
    ($($key:ty),+) => {$(
        impl std::fmt::Debug for $key {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("of a user")
            }
        }
    )+};
}

debug_by_user!(PageOf, CountOf);

impl PageOf {
    pub fn new(user: UserId, list_query: Arc<ListQuery>) -> Self {
        Self { user, list_query: Arguments::new(list_query) }
    }

    /// The keys of several users with the same arguments.
    pub fn each(users: &[UserId], list_query: &Arc<ListQuery>) -> Vec<Self> {
        let list_query = Arguments::new(Arc::clone(list_query));
        users.iter().map(|user| Self { user: *user, list_query: list_query.clone() }).collect()
    }
}

impl CountOf {
    pub fn new(user: UserId, filter: Option<Filter>) -> Self {
        Self { user, filter: Arguments::new(Arc::new(filter)) }
    }
}

/// The arguments of a field, in the keys of all its parents: hashed once, as a key is hashed many times.
struct Arguments<A> {
    values: Arc<A>,
    hash: u64,
}

impl<A: Hash> Arguments<A> {
    fn new(values: Arc<A>) -> Self {
        let mut hasher = DefaultHasher::new();
        values.hash(&mut hasher);
        Self { values, hash: hasher.finish() }
    }
}

impl<A> Clone for Arguments<A> {
    fn clone(&self) -> Self {
        Self { values: Arc::clone(&self.values), hash: self.hash }
    }
}

impl<A: PartialEq> PartialEq for Arguments<A> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values) || (self.hash == other.hash && self.values == other.values)
    }
}

impl<A: Eq> Eq for Arguments<A> {}

impl<A> Hash for Arguments<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Loaders {
    /// Empty loaders over the request's database handle.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        Self {
            users: Batched::new(IdBatch::new(db)),
            sessions: Batched::new(IdBatch::new(db)),
            audit_logs: Batched::new(IdBatch::new(db)),
            auth_sessions: Batched::new(IdOfBatch::new(db)),
            api_tokens: Batched::new(IdOfBatch::new(db)),
            sessions_of: Batched::new(PageBatch::new(db)),
            audit_logs_of: Batched::new(PageBatch::new(db)),
            auth_sessions_of: Batched::new(PageBatch::new(db)),
            api_tokens_of: Batched::new(PageBatch::new(db)),
            session_counts_of: Batched::new(CountBatch::new(db)),
            audit_log_counts_of: Batched::new(CountBatch::new(db)),
            auth_session_counts_of: Batched::new(CountBatch::new(db)),
            api_token_counts_of: Batched::new(CountBatch::new(db)),
        }
    }
}

impl std::fmt::Debug for Loaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaders").finish_non_exhaustive()
    }
}

/// Something with an id of its own.
pub trait ById: Sized + Send + Sync {
    fn id(&self) -> Uuid;
    fn by_ids(db: &Db, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Self>>> + Send;
}

/// Something with an id that only its owner may find, and some others.
pub trait ByIdOf: Sized + Send + Sync {
    fn id(&self) -> Uuid;
    fn by_ids(db: &Db, ids: &[Uuid], owner: Option<UserId>) -> impl Future<Output = Result<Vec<Self>>> + Send;
}

/// Something that belongs to a user and is read in pages.
pub trait OfUser: Sized + Send + Sync {
    fn pages_by_user(
        db: &Db,
        users: &[UserId],
        list_query: &ListQuery,
    ) -> impl Future<Output = Result<HashMap<UserId, Page<Self>>>> + Send;
    fn counts_by_user(
        db: &Db,
        users: &[UserId],
        filter: Option<&Filter>,
    ) -> impl Future<Output = Result<HashMap<UserId, i64>>> + Send;
}

/// Reads rows by their ids.
#[derive(Clone)]
pub struct IdBatch<T>(Db, PhantomData<fn() -> T>);

/// Reads rows by their ids and their owner.
#[derive(Clone)]
pub struct IdOfBatch<T>(Db, PhantomData<fn() -> T>);

/// Reads a page for each of many users.
#[derive(Clone)]
pub struct PageBatch<T>(Db, PhantomData<fn() -> T>);

/// Counts for each of many users.
#[derive(Clone)]
pub struct CountBatch<T>(Db, PhantomData<fn() -> T>);

impl<T> IdBatch<T> {
    fn new(db: &Db) -> Self {
        Self(db.clone(), PhantomData)
    }
}

impl<T> IdOfBatch<T> {
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
        match T::by_ids(&self.0, ids).await {
            Ok(rows) => {
                let mut found: HashMap<_, _> = ids.iter().map(|id| (*id, Ok(None))).collect();
                found.extend(rows.into_iter().map(|row| (row.id(), Ok(Some(Arc::new(row))))));
                found
            }
            Err(error) => ids.iter().map(|id| (*id, Err(error.clone()))).collect(),
        }
    }
}

impl<T: ByIdOf> BatchFn<IdOf, Found<T>> for IdOfBatch<T> {
    async fn load(&mut self, keys: &[IdOf]) -> HashMap<IdOf, Found<T>> {
        let mut found: HashMap<_, _> = keys.iter().map(|key| (*key, Ok(None))).collect();
        let mut by_owner: HashMap<Option<UserId>, Vec<Uuid>> = HashMap::new();
        for key in keys {
            by_owner.entry(key.owner).or_default().push(key.id);
        }
        for (owner, ids) in by_owner {
            match T::by_ids(&self.0, &ids, owner).await {
                Ok(rows) => {
                    found.extend(rows.into_iter().map(|row| (IdOf { id: row.id(), owner }, Ok(Some(Arc::new(row))))));
                }
                Err(error) => found.extend(ids.into_iter().map(|id| (IdOf { id, owner }, Err(error.clone())))),
            }
        }
        found
    }
}

impl<T: OfUser> BatchFn<PageOf, FoundPage<T>> for PageBatch<T> {
    async fn load(&mut self, keys: &[PageOf]) -> HashMap<PageOf, FoundPage<T>> {
        let db = &self.0;
        let groups = grouped(keys.iter().map(|key| (&key.list_query, key.user)));
        let groups = groups.into_iter().map(async |(list_query, users)| {
            let pages = T::pages_by_user(db, &users, &list_query.values).await;
            answer_each(
                users,
                pages,
                |page| Arc::new(page.unwrap_or_default()),
                |user| PageOf { user, list_query: list_query.clone() },
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
            let counts = T::counts_by_user(db, &users, Option::as_ref(&filter.values)).await;
            answer_each(users, counts, Option::unwrap_or_default, |user| CountOf { user, filter: filter.clone() })
        });
        join_all(groups).await.into_iter().flatten().collect()
    }
}

/// The users that ask with the same arguments: normally there is one group.
fn grouped<'a, A: Eq>(
    keys: impl Iterator<Item = (&'a Arguments<A>, UserId)>,
) -> HashMap<&'a Arguments<A>, Vec<UserId>> {
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

/// Which functions of `db` read a type by ids.
macro_rules! by_id {
    ($($type:ty: $by_id:ident, $table:ident $(, $owner:ident)?;)+) => {$(
        impl $by_id for $type {
            fn id(&self) -> Uuid {
                self.id.into()
            }

            fn by_ids(
                db: &Db,
                ids: &[Uuid]
                $(, $owner: Option<UserId>)?
            ) -> impl Future<Output = Result<Vec<Self>>> + Send {
                $table::by_ids(db, ids $(, $owner)?)
            }
        }
    )+};
}

by_id! {
    User: ById, users;
    Session: ById, sessions;
    AuditLog: ById, audit_logs;
    AuthSession: ByIdOf, auth_sessions, owner;
    ApiToken: ByIdOf, api_tokens, owner;
}

/// Which functions of `db` read the pages of a type.
macro_rules! of_user {
    ($($type:ty: $table:ident;)+) => {$(
        impl OfUser for $type {
            fn pages_by_user(
                db: &Db,
                users: &[UserId],
                list_query: &ListQuery,
            ) -> impl Future<Output = Result<HashMap<UserId, Page<Self>>>> + Send {
                $table::pages_by_user(db, users, list_query)
            }

            fn counts_by_user(
                db: &Db,
                users: &[UserId],
                filter: Option<&Filter>,
            ) -> impl Future<Output = Result<HashMap<UserId, i64>>> + Send {
                $table::counts_by_user(db, users, filter)
            }
        }
    )+};
}

of_user! {
    Session: sessions;
    AuditLog: audit_logs;
    AuthSession: auth_sessions;
    ApiToken: api_tokens;
}
