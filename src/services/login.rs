//! Logging in with a password.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{
    Client, Services, attempted_names,
    audit_entry::{Attribution, AuditEntry},
    auth_sessions::{self, IssuedTokens},
    default_accounts,
    login_throttle::{self, LoginAttempt},
};
use crate::{
    auth::{self, Principal},
    db::{Db, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, User},
};

/// The maximum length of a login name. Longer ones are refused before any work, as no user has one.
const MAX_LOGIN_CHARS: usize = 255;

/// Verifies the password and begins a login session. Success and failure are recorded in the audit log.
///
/// An unknown user, a wrong password and an inactive user get the same error after the same work. Too many failures are
/// `RATE_LIMITED`, for unknown users as for known ones; see [`login_throttle`].
pub async fn login(
    services: &Services,
    db: &Db,
    client: &Client,
    username: &str,
    password: SecretString,
) -> Result<IssuedTokens> {
    if username.chars().count() > MAX_LOGIN_CHARS {
        return Err(Error::bad_input(
            "username",
            format!("a user name or e-mail address has at most {MAX_LOGIN_CHARS} characters"),
        ));
    }
    if password.expose_secret().len() > auth::MAX_PASSWORD_BYTES {
        return Err(Error::bad_input("password", format!("a password has at most {} bytes", auth::MAX_PASSWORD_BYTES)));
    }
    services.access_tokens.refresh_keys(services.clock.now()).await?;
    let found = users::find_credentials(db, username).await?;
    let (user, hash, change_required) = match found {
        // Without a hash, an inactive user is refused like an unknown one, whatever the password.
        Some(found) => {
            let hash = found.user.is_active.then_some(found.hashed_password);
            (Some(found.user), hash, found.password_change_required)
        }
        None => (None, None, false),
    };
    // Before the attempt is counted: a login that gets no permit has not tried a password.
    let permit = services.password_hasher.acquire().await?;
    let target = Target { user: user.as_ref(), name: attempted_names::recorded(services, username), client };
    let attempt = match LoginAttempt::begin(services, db, client, username, user.as_ref()).await {
        Ok(attempt) => attempt,
        Err(error) if error.code() == ErrorCode::RateLimited => {
            drop(permit);
            return Err(target.record_throttled(services, db, error).await?);
        }
        Err(error) => return Err(error),
    };
    let hash = hash.filter(|_| !attempt.refused);
    let matches = permit.verify(password.clone(), hash.clone()).await?
        && !default_accounts::is_remote_default_password(client, user.as_ref(), &password);
    // The password is known only now: a legacy hash, or one with other parameters, is replaced.
    let outdated = hash.clone().filter(|hash| matches && permit.needs_rehash(hash));
    let rehashed = match outdated {
        Some(old) => Some((old, permit.hash(password.clone()).await?)),
        None => None,
    };
    drop(permit);
    if let Some(user) = user.as_ref().filter(|_| matches)
        && let Err(error) = services.write_limiter.charge_login(user)
    {
        attempt.withdraw(db).await?;
        return Err(error);
    }
    let now = services.clock.now();
    let mut tx = db.begin().await?;
    let change_required = change_required
        || user.as_ref().is_some_and(|user| default_accounts::is_default_password(&user.username, &password));
    // Since the hash was read, the password may have been changed or the user deactivated, which ended all login sessions.
    let is_logged_in = match (&user, &hash) {
        (Some(user), Some(hash)) if matches => {
            users::record_login(tx.accounts(), user.id, hash, change_required, now).await?
        }
        _ => false,
    };
    if !is_logged_in {
        let entry = target.entry(AuditAction::FailedLogin, "Login refused");
        let entry = if attempt.refused { entry.detail("tooManyFailures", true) } else { entry };
        entry.record(&mut tx, target.attribution(), now).await?;
        tx.commit().await?;
        return Err(Error::new(ErrorCode::Unauthenticated, "the user name or the password is wrong"));
    }
    let user = user.ok_or_else(|| Error::internal("a login succeeded without a user"))?;
    attempt.succeeded(&mut tx).await?;
    login_throttle::remember_network(&mut tx, user.id, client, now).await?;
    if let Some((old, new)) = &rehashed {
        users::replace_password_hash(&mut tx, user.id, old, new).await?;
    }
    let user = Arc::new(User { last_login: Some(now), ..user });
    let issued = auth_sessions::begin(services, &mut tx, client, user, now).await?;
    AuditEntry::new(AuditAction::Login, "Logged in")
        .detail("authSession", issued.auth_session.to_string())
        .record(&mut tx, Attribution::client(Some(&issued.user), client), now)
        .await?;
    tx.commit().await?;
    Ok(IssuedTokens { password_change_required: change_required, ..issued })
}

/// The target of a login attempt.
struct Target<'a> {
    user: Option<&'a User>,
    /// What is recorded of a name that belongs to no user.
    name: Option<String>,
    client: &'a Client,
}

impl Target<'_> {
    fn attribution(&self) -> Attribution<'_> {
        Attribution::login_attempt(self.user, self.name.as_deref(), self.client)
    }

    fn entry(&self, action: AuditAction, description: &'static str) -> AuditEntry {
        let entry = AuditEntry::new(action, description).failed();
        match self.user {
            Some(user) => entry.detail("account", user.id.to_string()),
            None => entry,
        }
    }

    /// Records that the throttle refused the attempt, within the limit of such entries.
    async fn record_throttled(&self, services: &Services, db: &Db, error: Error) -> Result<Error> {
        if services.access_denials.take(&Principal::Anonymous, self.client, &error) {
            let entry = self.entry(AuditAction::LimitExceeded, "Login refused: too many failed attempts");
            let mut tx = db.begin().await?;
            entry
                .detail("code", error.code().as_str())
                .record(&mut tx, self.attribution(), services.clock.now())
                .await?;
            tx.commit().await?;
        }
        Ok(error.mark_recorded())
    }
}
