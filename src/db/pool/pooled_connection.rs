//! A connection that was acquired from the pool. Dropping it releases it.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use deadpool::managed::Object;
use tokio::runtime::Handle;

use super::{
    connection_pool::Manager,
    managed_connection::{ManagedConnection, PooledDatabase},
};

/// A connection in use. If a statement still runs or a transaction is open when it is dropped, the connection returns to the
/// pool after the statement is cancelled and the transaction is rolled back.
pub(in crate::db) struct PooledConnection<DB: PooledDatabase>(Option<Object<Manager<DB>>>);

const IN_USE: &str = "only dropping it takes the connection";

impl<DB: PooledDatabase> From<Object<Manager<DB>>> for PooledConnection<DB> {
    fn from(object: Object<Manager<DB>>) -> Self {
        Self(Some(object))
    }
}

impl<DB: PooledDatabase> Deref for PooledConnection<DB> {
    type Target = ManagedConnection<DB>;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect(IN_USE)
    }
}

impl<DB: PooledDatabase> DerefMut for PooledConnection<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.0.as_mut().expect(IN_USE)
    }
}

impl<DB: PooledDatabase> fmt::Debug for PooledConnection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection").finish_non_exhaustive()
    }
}

impl<DB: PooledDatabase> Drop for PooledConnection<DB> {
    fn drop(&mut self) {
        let Some(mut object) = self.0.take() else { return };
        if !object.needs_clean_up() {
            // Dropping the object returns it to the pool.
            return;
        }
        match Handle::try_current() {
            // The object keeps its place in the pool meanwhile, so clients that disconnect cannot make the server open more
            // connections than the pool may have.
            Ok(runtime) => drop(runtime.spawn(async move {
                object.clean_up().await;
                if object.is_closed() {
                    drop(Object::take(object));
                }
            })),
            Err(_) => drop(Object::take(object)),
        }
    }
}
