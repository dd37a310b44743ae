//! Logging in with a password.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{
    Client, Services,
    audit::{By, Entry},
    auth_sessions::{self, Issued},
    first_admin, throttle,
};
use crate::{
    auth,
    db::{Db, users},
    error::{Code, Error, Result},
    model::{AuditAction, User},
};

/// No user name or e-mail address is longer: what is longer is refused before any work.
const MAX_LOGIN_CHARS: usize = 255;

/// Checks the password and begins an auth session. Success and failure leave an audit entry.
///
/// An unknown user, a wrong password and an inactive user are answered alike, after the same work. Too many failures
/// in a row are `RATE_LIMITED`, for unknown users as for known ones.
pub async fn login(
    services: &Services,
    db: &Db,
    client: &Client,
    username: &str,
    password: SecretString,
) -> Result<Issued> {
    if username.chars().count() > MAX_LOGIN_CHARS {
        return Err(Error::bad_input("username", format!("at most {MAX_LOGIN_CHARS} characters")));
    }
    if password.expose_secret().len() > auth::MAX_BYTES {
        return Err(Error::bad_input("password", format!("at most {} bytes", auth::MAX_BYTES)));
    }
    services.tokens.refresh_keys(services.clock.now()).await?;
    let found = users::find_credentials(db, username).await?;
    let (user, hash, change_required) = match found {
        // Without a hash, who is inactive is refused like who is unknown, whatever the password.
        Some(found) => {
            let hash = found.user.is_active.then_some(found.hashed_password);
            (Some(found.user), hash, found.password_change_required)
        }
        None => (None, None, false),
    };
    // Kept until a failure is counted: no more tries than may hash at a time can slip past the throttle together.
    let turn = services.hasher.turn().await?;
    let attempt = throttle::Attempt::admit(services, db, client, username, user.as_ref()).await?;
    let fits = turn.verify(password.clone(), hash.clone()).await?
        && !first_admin::is_default_of_stranger(client, user.as_ref(), &password);
    // By the password that only this moment has: the hash of an older program, or of weaker parameters, is replaced.
    let outdated = hash.clone().filter(|hash| fits && turn.is_outdated(hash));
    let better = match outdated {
        Some(old) => Some((old, turn.hash(password.clone()).await?)),
        None => None,
    };
    let now = services.clock.now();
    let mut tx = db.begin().await?;
    // The password may have been changed meanwhile, or the user deactivated, which ended the logins there were.
    let lets_in = match (&user, &hash) {
        (Some(user), Some(hash)) if fits => users::log_in(&mut tx, user.id, hash, now).await?,
        _ => false,
    };
    match user {
        Some(user) if lets_in => {
            attempt.succeeded(&mut tx).await?;
            if let Some((old, new)) = &better {
                users::set_hash(&mut tx, user.id, old, new).await?;
            }
            let user = Arc::new(User { last_login: Some(now), ..user });
            let mut issued = auth_sessions::begin(services, &mut tx, client, user, now).await?;
            issued.password_change_required =
                change_required || first_admin::is_default(&issued.user.username, &password);
            Entry::new(AuditAction::Login, "Logged in")
                .detail("authSession", issued.auth_session.to_string())
                .record(&mut tx, By::client(Some(&issued.user), client), now)
                .await?;
            tx.commit().await?;
            Ok(issued)
        }
        user => {
            attempt.failed(&mut tx, &services.limits.accounts, now).await?;
            Entry::new(AuditAction::FailedLogin, "Login refused")
                .failed()
                .record(&mut tx, By::client(user.as_ref(), client), now)
                .await?;
            tx.commit().await?;
            drop(turn);
            Err(Error::new(Code::Unauthenticated, "the user name or the password is wrong"))
        }
    }
}
