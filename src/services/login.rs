//! Logging in with a password.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{
    Client, Services, attempted_names,
    audit::{By, Entry},
    auth_sessions::{self, Issued},
    throttle,
};
use crate::{
    auth::{self, Principal},
    db::{Db, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, User},
    ops::first_admin,
};

/// No user name or e-mail address is longer: what is longer is refused before any work.
const MAX_LOGIN_CHARS: usize = 255;

/// Checks the password and begins an auth session. Success and failure leave an audit entry.
///
/// An unknown user, a wrong password and an inactive user are answered alike, after the same work. Too many failures
/// in a row are `RATE_LIMITED`, for unknown users as for known ones; see `services::throttle`.
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
    if password.expose_secret().len() > auth::MAX_PASSWORD_BYTES {
        return Err(Error::bad_input("password", format!("at most {} bytes", auth::MAX_PASSWORD_BYTES)));
    }
    services.access_tokens.refresh_keys(services.clock.now()).await?;
    let found = users::find_credentials(db, username).await?;
    let (user, hash, change_required) = match found {
        // Without a hash, who is inactive is refused like who is unknown, whatever the password.
        Some(found) => {
            let hash = found.user.is_active.then_some(found.hashed_password);
            (Some(found.user), hash, found.password_change_required)
        }
        None => (None, None, false),
    };
    // First a place among those who may hash: whoever is turned away for want of one has not tried a password.
    let turn = services.password_hasher.acquire().await?;
    let target = Target { user: user.as_ref(), name: attempted_names::recorded(services, username), client };
    let attempt = match throttle::Attempt::begin(services, db, client, username, user.as_ref()).await {
        Ok(attempt) => attempt,
        Err(error) if error.code() == ErrorCode::RateLimited => {
            drop(turn);
            return Err(target.throttled(services, db, error).await?);
        }
        Err(error) => return Err(error),
    };
    let hash = hash.filter(|_| !attempt.refused);
    let fits = turn.verify(password.clone(), hash.clone()).await?
        && !first_admin::is_default_of_stranger(client, user.as_ref(), &password);
    // By the password that only this moment has: the hash of an older program, or of weaker parameters, is replaced.
    let outdated = hash.clone().filter(|hash| fits && turn.is_outdated(hash));
    let better = match outdated {
        Some(old) => Some((old, turn.hash(password.clone()).await?)),
        None => None,
    };
    drop(turn);
    if let Some(user) = user.as_ref().filter(|_| fits)
        && let Err(error) = services.write_limiter.charge_login(user)
    {
        attempt.withdraw(db).await?;
        return Err(error);
    }
    let now = services.clock.now();
    let mut tx = db.begin().await?;
    let change_required =
        change_required || user.as_ref().is_some_and(|user| first_admin::is_default(&user.username, &password));
    // The password may have been changed meanwhile, or the user deactivated, which ended the logins there were.
    let lets_in = match (&user, &hash) {
        (Some(user), Some(hash)) if fits => users::log_in(tx.accounts(), user.id, hash, change_required, now).await?,
        _ => false,
    };
    if !lets_in {
        let entry = target.entry(AuditAction::FailedLogin, "Login refused");
        let entry = if attempt.refused { entry.detail("tooManyFailures", true) } else { entry };
        entry.record(&mut tx, target.by(), now).await?;
        tx.commit().await?;
        return Err(Error::new(ErrorCode::Unauthenticated, "the user name or the password is wrong"));
    }
    let user = user.ok_or_else(|| Error::internal("somebody logged in without a user"))?;
    attempt.succeeded(&mut tx).await?;
    throttle::remember_network(&mut tx, user.id, client, now).await?;
    if let Some((old, new)) = &better {
        users::set_hash(&mut tx, user.id, old, new).await?;
    }
    let user = Arc::new(User { last_login: Some(now), ..user });
    let issued = auth_sessions::begin(services, &mut tx, client, user, now).await?;
    Entry::new(AuditAction::Login, "Logged in")
        .detail("authSession", issued.auth_session.to_string())
        .record(&mut tx, By::client(Some(&issued.user), client), now)
        .await?;
    tx.commit().await?;
    Ok(Issued { password_change_required: change_required, ..issued })
}

/// Whom somebody tried to log in as.
struct Target<'a> {
    user: Option<&'a User>,
    /// What is recorded of a name that no user has.
    name: Option<String>,
    client: &'a Client,
}

impl Target<'_> {
    fn by(&self) -> By<'_> {
        By::attempt(self.user, self.name.as_deref(), self.client)
    }

    fn entry(&self, action: AuditAction, description: &'static str) -> Entry {
        let entry = Entry::new(action, description).failed();
        match self.user {
            Some(user) => entry.detail("account", user.id.to_string()),
            None => entry,
        }
    }

    /// Records that the throttle refused it, unless there are many such entries from here already.
    async fn throttled(&self, services: &Services, db: &Db, error: Error) -> Result<Error> {
        if services.access_denials.take(&Principal::Anonymous, self.client, &error) {
            let entry = self.entry(AuditAction::LimitExceeded, "Login refused: too many have failed");
            let mut tx = db.begin().await?;
            entry.detail("code", error.code().as_str()).record(&mut tx, self.by(), services.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(error.mark_recorded())
    }
}
