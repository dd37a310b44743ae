//! Loads rows by id and owner: login sessions and API tokens, which most principals may load only if they own them.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use dataloader::BatchFn;
use uuid::Uuid;

use super::by_id::MaybeRow;
use crate::{
    db::{
        Db,
        list::{self, UserRow},
    },
    model::UserId,
};

/// The id of a row, and the owner that it must have; any owner if `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnedId {
    pub id: Uuid,
    pub owner: Option<UserId>,
}

/// The batch function: one statement for all ids with the same owner.
#[derive(Clone)]
pub struct OwnedIdBatch<T> {
    db: Db,
    row: PhantomData<fn() -> T>,
}

impl<T> OwnedIdBatch<T> {
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone(), row: PhantomData }
    }
}

impl<T: UserRow> BatchFn<OwnedId, MaybeRow<T>> for OwnedIdBatch<T> {
    async fn load(&mut self, keys: &[OwnedId]) -> HashMap<OwnedId, MaybeRow<T>> {
        let mut values: HashMap<_, _> = keys.iter().map(|key| (*key, Ok(None))).collect();
        let mut ids_by_owner: HashMap<Option<UserId>, Vec<Uuid>> = HashMap::new();
        for key in keys {
            ids_by_owner.entry(key.owner).or_default().push(key.id);
        }
        for (owner, ids) in ids_by_owner {
            match list::by_ids_and_owner::<T>(&self.db, &ids, owner).await {
                Ok(rows) => {
                    let key_of = |row: &T| OwnedId { id: row.id(), owner };
                    values.extend(rows.into_iter().map(|row| (key_of(&row), Ok(Some(Arc::new(row))))));
                }
                Err(error) => values.extend(ids.into_iter().map(|id| (OwnedId { id, owner }, Err(error.clone())))),
            }
        }
        values
    }
}
