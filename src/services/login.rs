//! Logging in with a password.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{Client, Services, first_admin};
use crate::{
    auth::AccessToken,
    db::{Db, audit_logs, users},
    error::{Code, Error, Result},
    model::{AuditAction, AuditLog, AuditLogId, Timestamp, User, UserId},
};

/// No user name or e-mail address is longer, and no password: what is longer is refused before any work.
const MAX_LOGIN_CHARS: usize = 255;
const MAX_PASSWORD_BYTES: usize = 1024;

/// A login that succeeded.
#[derive(Debug)]
pub struct LoggedIn {
    pub user: Arc<User>,
    pub access_token: AccessToken,
    /// Whether the password is one that everybody knows.
    pub password_change_required: bool,
}

/// Checks the password and hands out an access token. Success and failure leave an audit entry.
///
/// An unknown user, a wrong password and an inactive user are answered alike, after the same work.
pub async fn login(
    services: &Services,
    db: &Db,
    client: &Client,
    username: &str,
    password: SecretString,
) -> Result<LoggedIn> {
    if username.chars().count() > MAX_LOGIN_CHARS {
        return Err(Error::bad_input("username", format!("at most {MAX_LOGIN_CHARS} characters")));
    }
    if password.expose_secret().len() > MAX_PASSWORD_BYTES {
        return Err(Error::bad_input("password", format!("at most {MAX_PASSWORD_BYTES} bytes")));
    }
    let found = users::find_credentials(db, username).await?;
    let (user, hash) = match found {
        Some(credentials) => (Some(credentials.user), Some(credentials.hashed_password)),
        None => (None, None),
    };
    let fits = services.hasher.verify(password.clone(), hash).await?;
    let now = services.clock.now();
    match user {
        Some(user) if fits && user.is_active => {
            let mut tx = db.begin().await?;
            users::set_last_login(&mut tx, user.id, now).await?;
            audit_logs::insert(&mut tx, &entry(AuditAction::Login, Some(user.id), client, now)).await?;
            tx.commit().await?;
            Ok(LoggedIn {
                access_token: services.tokens.issue(user.id, now)?,
                password_change_required: first_admin::is_default(&user.username, &password),
                user: Arc::new(User { last_login: Some(now), ..user }),
            })
        }
        user => {
            let mut tx = db.begin().await?;
            let user_id = user.map(|user| user.id);
            audit_logs::insert(&mut tx, &entry(AuditAction::FailedLogin, user_id, client, now)).await?;
            tx.commit().await?;
            Err(Error::new(Code::Unauthenticated, "the user name or the password is wrong"))
        }
    }
}

fn entry(action: AuditAction, user_id: Option<UserId>, client: &Client, now: Timestamp) -> AuditLog {
    AuditLog {
        id: AuditLogId::new(now),
        user_id,
        action,
        details: None,
        description: Some(if action == AuditAction::Login { "Logged in" } else { "Login refused" }.to_owned()),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        success: action == AuditAction::Login,
        timestamp: now,
    }
}
