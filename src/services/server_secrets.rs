//! Random keys that all instances on a database share, made by the first one that needs them.

use aws_lc_rs::rand;

use crate::{
    auth::KeyedHasher,
    clock::Clock,
    db::{Db, server_secrets},
    error::{Error, Result},
};

const NAME_HASH_KEY: &str = "name_hash_key";

/// The hasher of names that are typed to log in.
pub(super) async fn keyed_hasher(db: &Db, clock: Clock) -> Result<KeyedHasher> {
    if server_secrets::find(db, NAME_HASH_KEY).await?.is_none() {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(Error::internal)?;
        // When two instances do this at once, the database keeps the first one's key.
        let mut tx = db.begin().await?;
        server_secrets::insert(&mut tx, NAME_HASH_KEY, &key, clock.now()).await?;
        tx.commit().await?;
    }
    let key = server_secrets::find(db, NAME_HASH_KEY).await?;
    Ok(KeyedHasher::new(&key.ok_or_else(|| Error::internal("the key of hashed names is gone"))?))
}
