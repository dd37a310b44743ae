//! Loads pages and counts of rows that belong to users: one statement for all users with the same arguments.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use dataloader::BatchFn;
use futures_util::future::join_all;

use crate::{
    db::{
        Db,
        list::{self, UserRow},
        query::{Filter, ListQuery, Page},
    },
    error::Result,
    model::UserId,
};

/// The arguments of a field that is loaded per user. They decide what is loaded: a page or a count.
pub trait UserArguments<T>: Hash + Eq + Send + Sync {
    /// The value of one user; the default if the user has no rows.
    type Value: Default + Send;

    fn fetch(&self, db: &Db, users: &[UserId]) -> impl Future<Output = Result<HashMap<UserId, Self::Value>>> + Send;
}

impl<T: UserRow> UserArguments<T> for ListQuery {
    type Value = Arc<Page<T>>;

    async fn fetch(&self, db: &Db, users: &[UserId]) -> Result<HashMap<UserId, Self::Value>> {
        tracing::trace!(target: "request_path", "batch");
        let pages = list::pages_by_user::<T>(db, users, self).await?;
        Ok(pages.into_iter().map(|(user, page)| (user, Arc::new(page))).collect())
    }
}

impl<T: UserRow> UserArguments<T> for Option<Filter> {
    type Value = i64;

    async fn fetch(&self, db: &Db, users: &[UserId]) -> Result<HashMap<UserId, Self::Value>> {
        list::counts_by_user::<T>(db, users, self.as_ref()).await
    }
}

/// A user and the arguments of the field.
pub struct UserKey<A> {
    user: UserId,
    arguments: SharedArguments<A>,
}

/// Loads a page of a user's rows.
pub type PageKey = UserKey<ListQuery>;
/// Loads the number of a user's rows that match a filter.
pub type CountKey = UserKey<Option<Filter>>;

impl<A: Hash> UserKey<A> {
    pub fn new(user: UserId, arguments: impl Into<Arc<A>>) -> Self {
        Self { user, arguments: SharedArguments::new(arguments.into()) }
    }

    /// The keys of several users with the same arguments.
    pub fn each(users: &[UserId], arguments: &Arc<A>) -> Vec<Self> {
        let arguments = SharedArguments::new(Arc::clone(arguments));
        users.iter().map(|user| Self { user: *user, arguments: arguments.clone() }).collect()
    }
}

impl<A> Clone for UserKey<A> {
    fn clone(&self) -> Self {
        Self { user: self.user, arguments: self.arguments.clone() }
    }
}

impl<A: PartialEq> PartialEq for UserKey<A> {
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && self.arguments == other.arguments
    }
}

impl<A: Eq> Eq for UserKey<A> {}

impl<A> Hash for UserKey<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.user.hash(state);
        self.arguments.hash(state);
    }
}

/// Short: the `dataloader` crate formats every key of a batch for an error message that is rarely needed.
impl<A> fmt::Debug for UserKey<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserKey")
    }
}

/// Arguments that the keys of all parents share. Their hash is computed once, because a key is hashed many times.
struct SharedArguments<A> {
    values: Arc<A>,
    hash: u64,
}

impl<A: Hash> SharedArguments<A> {
    fn new(values: Arc<A>) -> Self {
        let mut hasher = DefaultHasher::new();
        values.hash(&mut hasher);
        Self { values, hash: hasher.finish() }
    }
}

impl<A> Clone for SharedArguments<A> {
    fn clone(&self) -> Self {
        Self { values: Arc::clone(&self.values), hash: self.hash }
    }
}

impl<A: PartialEq> PartialEq for SharedArguments<A> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values) || (self.hash == other.hash && self.values == other.values)
    }
}

impl<A: Eq> Eq for SharedArguments<A> {}

impl<A> Hash for SharedArguments<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The batch function: one statement for all users with the same arguments.
#[derive(Clone)]
pub struct UserBatch<T> {
    db: Db,
    row: PhantomData<fn() -> T>,
}

impl<T> UserBatch<T> {
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone(), row: PhantomData }
    }
}

impl<T, A: UserArguments<T>> BatchFn<UserKey<A>, Result<A::Value>> for UserBatch<T> {
    async fn load(&mut self, keys: &[UserKey<A>]) -> HashMap<UserKey<A>, Result<A::Value>> {
        let db = &self.db;
        // Usually all keys have the same arguments.
        let mut users_by_arguments: HashMap<&SharedArguments<A>, Vec<UserId>> = HashMap::new();
        for key in keys {
            users_by_arguments.entry(&key.arguments).or_default().push(key.user);
        }
        let groups = users_by_arguments.into_iter().map(async |(arguments, users)| {
            let mut values = arguments.values.fetch(db, &users).await;
            let mut value_of = |user: UserId| match &mut values {
                Ok(values) => Ok(values.remove(&user).unwrap_or_default()),
                Err(error) => Err(error.clone()),
            };
            let key_of = |user: UserId| UserKey { user, arguments: arguments.clone() };
            users.into_iter().map(|user| (key_of(user), value_of(user))).collect::<Vec<_>>()
        });
        join_all(groups).await.into_iter().flatten().collect()
    }
}
