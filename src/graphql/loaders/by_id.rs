//! Loads rows by id.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use dataloader::BatchFn;
use uuid::Uuid;

use crate::{
    db::{
        Db,
        list::{self, ListedRow},
    },
    error::Result,
};

/// A row, `None` if there is none with the key, or the error of its batch.
pub type MaybeRow<T> = Result<Option<Arc<T>>>;

/// The batch function: one statement for all ids.
#[derive(Clone)]
pub struct IdBatch<T> {
    db: Db,
    row: PhantomData<fn() -> T>,
}

impl<T> IdBatch<T> {
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone(), row: PhantomData }
    }
}

impl<T: ListedRow> BatchFn<Uuid, MaybeRow<T>> for IdBatch<T> {
    async fn load(&mut self, ids: &[Uuid]) -> HashMap<Uuid, MaybeRow<T>> {
        match list::by_ids::<T>(&self.db, ids).await {
            Ok(rows) => {
                let mut values: HashMap<_, _> = ids.iter().map(|id| (*id, Ok(None))).collect();
                values.extend(rows.into_iter().map(|row| (row.id(), Ok(Some(Arc::new(row))))));
                values
            }
            Err(error) => ids.iter().map(|id| (*id, Err(error.clone()))).collect(),
        }
    }
}
