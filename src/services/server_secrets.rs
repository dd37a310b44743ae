//! Random keys that all instances on a database share. The first instance that needs one creates it.

use aws_lc_rs::rand;

use crate::{
    auth::KeyedHasher,
    clock::Clock,
    db::{Db, server_secrets},
    error::{Error, Result},
};

const NAME_HASH_KEY: &str = "name_hash_key";

/// The hasher of login names.
pub(super) async fn keyed_hasher(db: &Db, clock: Clock) -> Result<KeyedHasher> {
    if server_secrets::find(db, NAME_HASH_KEY).await?.is_none() {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(Error::internal)?;
        // When two instances do this concurrently, the database keeps the first key.
        let mut tx = db.begin().await?;
        server_secrets::insert(&mut tx, NAME_HASH_KEY, &key, clock.now()).await?;
        tx.commit().await?;
    }
    let key = server_secrets::find(db, NAME_HASH_KEY).await?;
    Ok(KeyedHasher::new(&key.ok_or_else(|| Error::internal("the key for hashes of login names is missing"))?))
}
