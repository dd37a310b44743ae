//! The accounts whose initial password is their user name, which is public.

use secrecy::{ExposeSecret, SecretString};

use super::Client;
use crate::{
    auth::PasswordHasher,
    db::{Db, users},
    error::Result,
    model::User,
};

/// The accounts that `db init` and `db seed` create with the user name as the password.
pub const DEFAULT_ACCOUNTS: [&str; 3] = ["admin", "analyst", "viewer"];

/// The default accounts that still have their default password.
pub async fn with_default_password(db: &Db, hasher: &PasswordHasher) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for name in DEFAULT_ACCOUNTS {
        if find_with_default_password(db, hasher, name).await?.is_some() {
            found.push(name);
        }
    }
    Ok(found)
}

/// The active user of this name, if the name is the password.
pub async fn find_with_default_password(db: &Db, hasher: &PasswordHasher, name: &str) -> Result<Option<User>> {
    let found = users::find_credentials(db, name).await?;
    let Some(found) = found.filter(|found| found.user.is_active && found.user.username == name) else {
        return Ok(None);
    };
    let matches = hasher.verify(SecretString::from(name), Some(found.hashed_password)).await?;
    Ok(matches.then_some(found.user))
}

/// Returns true if this is the default password of a default account.
#[must_use]
pub fn is_default_password(username: &str, password: &SecretString) -> bool {
    DEFAULT_ACCOUNTS.contains(&username) && password.expose_secret() == username
}

/// Returns true if a default password came from a client that may be on another machine, and logs a warning.
#[must_use]
pub fn is_remote_default_password(client: &Client, user: Option<&User>, password: &SecretString) -> bool {
    let is_refused =
        client.through_untrusted_proxy && user.is_some_and(|user| is_default_password(&user.username, password));
    if is_refused {
        tracing::warn!(
            "refused a default password that came through a proxy on this machine that is not named in \
             GUARDIANEYE_TRUSTED_PROXIES: change the password, and name the proxy there"
        );
    }
    is_refused
}
