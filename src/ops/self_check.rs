//! The self-check of a database: seven steps that write, read and delete rows of their own with the functions of the server.
//! The rows are removed in every case, and no other rows are touched.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use secrecy::SecretString;

use crate::{
    auth::PasswordHasher,
    clock::Clock,
    db::{Db, Tx, audit_logs, list, query::ListQuery, sessions, users},
    error::{Error, ErrorCode, Result},
    model::{
        AuditAction, AuditLog, AuditLogId, Credentials, RawJson, Role, Session, SessionId, Timestamp, User, UserId,
    },
};

/// A step. The name is for programs and does not change; the description is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub number: usize,
    pub name: &'static str,
    pub description: &'static str,
}

/// All steps, in order.
pub const STEPS: [Step; 7] = [
    Step { number: 1, name: "tables", description: "Creating database tables" },
    Step { number: 2, name: "connection", description: "Creating database session" },
    Step { number: 3, name: "user", description: "Creating test user" },
    Step { number: 4, name: "session", description: "Creating user session" },
    Step { number: 5, name: "auditLog", description: "Creating audit log" },
    Step { number: 6, name: "relationships", description: "Testing relationships" },
    Step { number: 7, name: "cascadeDelete", description: "Testing cascade delete" },
];

/// How a step ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The step succeeded, with a summary for people.
    Passed(String),
    Failed(Error),
    /// Not run, because an earlier step failed.
    Skipped,
}

/// The progress of a check.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Began(Step),
    Ended(Step, &'a Outcome, Duration),
    /// The rows of the check were removed, or the error that prevented it.
    CleanedUp(&'a Result<()>),
}

/// Runs all steps and cleans up. Returns true if everything succeeded. After a failure, or when `interrupt` completes, the
/// remaining steps are skipped.
pub async fn check(
    db: &Db,
    hasher: &PasswordHasher,
    clock: Clock,
    interrupt: impl Future<Output = ()>,
    report: &mut (dyn FnMut(Event<'_>) + Send),
) -> bool {
    let mut interrupt = pin!(interrupt);
    let rows = TestRows::new(db, hasher, clock.now());
    let (mut succeeded, mut has_rows) = (true, false);
    for step in STEPS {
        report(Event::Began(step));
        let started = Instant::now();
        let outcome = if succeeded {
            has_rows |= step.name == "user";
            let done = tokio::select! {
                biased;
                () = &mut interrupt => Err(Error::new(ErrorCode::Timeout, "interrupted")),
                done = rows.run(step) => done,
            };
            done.map_or_else(Outcome::Failed, Outcome::Passed)
        } else {
            Outcome::Skipped
        };
        succeeded &= matches!(outcome, Outcome::Passed(_));
        report(Event::Ended(step, &outcome, started.elapsed()));
    }
    let cleaned_up = if has_rows { rows.clean_up().await } else { Ok(()) };
    report(Event::CleanedUp(&cleaned_up));
    succeeded && cleaned_up.is_ok()
}

/// The rows of one run. They are built before they are written, so that they can be removed after any step.
struct TestRows<'a> {
    db: &'a Db,
    hasher: &'a PasswordHasher,
    user: User,
    session: Session,
    audit_log: AuditLog,
}

/// The tables that the steps use.
const TABLES: [&str; 3] = ["audit_logs", "sessions", "users"];

/// The unique indexes of user names and e-mail addresses, and the indexes of the lists.
const INDEXES: [&str; 13] = [
    "ix_audit_logs_action",
    "ix_audit_logs_ip_address",
    "ix_audit_logs_timestamp",
    "ix_audit_logs_timestamp_id",
    "ix_audit_logs_user_id",
    "ix_audit_logs_user_id_timestamp_id",
    "ix_sessions_created_at_id",
    "ix_sessions_thread_id",
    "ix_sessions_user_id",
    "ix_sessions_user_id_created_at_id",
    "ix_users_created_at_id",
    "ix_users_email",
    "ix_users_username",
];

impl<'a> TestRows<'a> {
    fn new(db: &'a Db, hasher: &'a PasswordHasher, now: Timestamp) -> Self {
        let (user_id, session_id, audit_log_id) = (UserId::new(now), SessionId::new(now), AuditLogId::new(now));
        let username = format!("db-check-{}", user_id.0.simple());
        let json = |step| {
            Some(RawJson(format!(r#"{{"step": {step}, "text": "\u00e4 ' \" \\ – 安全", "numbers": [1, 2.50]}}"#)))
        };
        Self {
            db,
            hasher,
            user: User {
                id: user_id,
                email: format!("{username}@guardianeye.invalid"),
                username,
                role: Role::Viewer,
                // An inactive user cannot log in.
                is_active: false,
                full_name: Some("Test User – 安全".to_owned()),
                created_at: now,
                updated_at: now,
                last_login: None,
            },
            session: Session {
                id: session_id,
                user_id,
                thread_id: Some(format!("thread-{}", session_id.0.simple())),
                context: json(4),
                title: Some("Test Session".to_owned()),
                is_active: true,
                created_at: now,
                updated_at: now,
                ended_at: None,
            },
            audit_log: AuditLog {
                id: audit_log_id,
                user_id: Some(user_id),
                username: None,
                action: AuditAction::AgentExecution,
                details: json(5),
                description: Some("Test audit log".to_owned()),
                ip_address: Some("127.0.0.1".to_owned()),
                user_agent: Some("guardianeye db check".to_owned()),
                success: true,
                timestamp: now,
            },
        }
    }

    async fn run(&self, step: Step) -> Result<String> {
        match step.number {
            1 => self.tables().await,
            2 => self.connection().await,
            3 => self.user().await,
            4 => self.session().await,
            5 => self.audit_log().await,
            6 => self.relationships().await,
            _ => self.cascade_delete().await,
        }
    }

    /// Creates the tables of an empty database. Otherwise SQLite is migrated, as by the server; on PostgreSQL an operator
    /// migrates.
    async fn tables(&self) -> Result<String> {
        let before = self.db.tables().await?;
        let is_new = !before.iter().any(|table| TABLES.contains(&table.as_str()));
        if is_new || !self.db.needs_operator() {
            self.db.migrate().await?;
        } else if !self.db.is_migrated().await? {
            return Err(fault("the tables are out of date: run `guardianeye db init`"));
        }
        let (tables, indexes) = (self.db.tables().await?, self.db.indexes().await?);
        let missing: Vec<_> = TABLES.into_iter().filter(|table| !tables.iter().any(|found| found == table)).collect();
        if !missing.is_empty() {
            return Err(fault(format!("missing tables: {}", missing.join(", "))));
        }
        let missing: Vec<_> = INDEXES.into_iter().filter(|index| !indexes.iter().any(|found| found == index)).collect();
        if !missing.is_empty() {
            return Err(fault(format!("missing indexes: {}", missing.join(", "))));
        }
        let state = if is_new { "created" } else { "found" };
        Ok(format!("Tables {state}: {} ({} indexes)", tables.join(", "), indexes.len()))
    }

    async fn connection(&self) -> Result<String> {
        self.db.ping().await?;
        // A transaction that may write, rolled back.
        drop(self.db.begin().await?);
        Ok(format!("Session factory created: {} {}", self.db.kind(), self.db.server_version().await?))
    }

    async fn user(&self) -> Result<String> {
        let user = &self.user;
        let password = user.id.to_string();
        let hashed_password = self.hasher.hash(SecretString::from(password.clone())).await?;
        let credentials = Credentials { user: user.clone(), hashed_password, password_change_required: false };
        let mut tx = self.db.begin().await?;
        let added = users::insert(&mut tx, &credentials).await?;
        tx.commit().await?;
        same("insert of the user", &added, &true)?;
        same("user as read by id", &users::find(self.db, user.id).await?.as_ref(), &Some(user))?;
        for login in [&user.username, &user.email] {
            let found = users::find_credentials(self.db, login).await?;
            let found = found.ok_or_else(|| fault(format!("the user is not found by {login}")))?;
            same("user as read by name and address", &found.user, user)?;
            let fits = self.hasher.verify(SecretString::from(password.clone()), Some(found.hashed_password)).await?;
            same("password verified", &fits, &true)?;
        }
        let other = User {
            id: UserId::new(user.created_at),
            username: format!("{}-2", user.username),
            email: format!("2-{}", user.email),
            ..user.clone()
        };
        let same_name = User { username: user.username.clone(), ..other.clone() };
        let same_address = User { email: user.email.clone(), ..other };
        for (what, user) in [("name", same_name), ("address", same_address)] {
            let twin = Credentials {
                user,
                hashed_password: credentials.hashed_password.clone(),
                password_change_required: false,
            };
            // Rolled back, so that no row remains even if the insert succeeds.
            let mut tx = self.db.begin().await?;
            same(&format!("second user of the same {what} added"), &users::insert(&mut tx, &twin).await?, &false)?;
        }
        let changed = User { full_name: None, updated_at: user.created_at.plus_seconds(1), ..user.clone() };
        let mut tx = self.db.begin().await?;
        let updated = users::update(tx.accounts(), &changed).await?;
        tx.commit().await?;
        same("update of the user", &updated, &true)?;
        same("user as read after the update", &users::find(self.db, user.id).await?.as_ref(), &Some(&changed))?;
        Ok(format!("Created user: {} (ID: {})", user.username, user.id))
    }

    async fn session(&self) -> Result<String> {
        let mut tx = self.db.begin().await?;
        let added = sessions::insert(&mut tx, &self.session).await?;
        tx.commit().await?;
        same("insert of the session", &added, &true)?;
        let found = list::by_ids::<Session>(self.db, &[self.session.id.into()]).await?;
        same("session as read", &found.as_slice(), &std::slice::from_ref(&self.session))?;
        Ok(format!("Created session: {}", self.session.id))
    }

    async fn audit_log(&self) -> Result<String> {
        let mut tx = self.db.begin().await?;
        let added = audit_logs::insert(&mut tx, &self.audit_log).await?;
        tx.commit().await?;
        same("insert of the audit log", &added, &true)?;
        let found = list::by_ids::<AuditLog>(self.db, &[self.audit_log.id.into()]).await?;
        same("audit log as read", &found.as_slice(), &std::slice::from_ref(&self.audit_log))?;
        Ok(format!("Created audit log: {}", self.audit_log.id))
    }

    async fn relationships(&self) -> Result<String> {
        let user = self.user.id;
        let newest = ListQuery::newest(sessions::orders::CREATED_AT, 10);
        let sessions =
            list::pages_by_user::<Session>(self.db, &[user], &newest).await?.remove(&user).unwrap_or_default().rows;
        let newest = ListQuery::newest(audit_logs::orders::TIMESTAMP, 10);
        let logs =
            list::pages_by_user::<AuditLog>(self.db, &[user], &newest).await?.remove(&user).unwrap_or_default().rows;
        same("sessions of the user", &sessions.as_slice(), &std::slice::from_ref(&self.session))?;
        same("audit logs of the user", &logs.as_slice(), &std::slice::from_ref(&self.audit_log))?;
        Ok(format!("User: {}\n  - Sessions: {}\n  - Audit logs: {}", self.user.username, sessions.len(), logs.len()))
    }

    async fn cascade_delete(&self) -> Result<String> {
        let mut tx = self.db.begin().await?;
        let deleted = users::delete(tx.accounts(), self.user.id).await?;
        tx.commit().await?;
        same("delete of the user", &deleted, &true)?;
        same("user after its delete", &users::find(self.db, self.user.id).await?, &None)?;
        if !list::by_ids::<Session>(self.db, &[self.session.id.into()]).await?.is_empty() {
            return Err(fault("the session outlived its user: sessions.user_id must be ON DELETE CASCADE"));
        }
        let left = list::by_ids::<AuditLog>(self.db, &[self.audit_log.id.into()]).await?;
        match left.as_slice() {
            [entry] if entry.user_id.is_none() => Ok("Cascade delete verified".to_owned()),
            [_] => {
                Err(fault("the audit log still names a deleted user: audit_logs.user_id must be ON DELETE SET NULL"))
            }
            _ => Err(fault("the audit log went with its user: audit_logs.user_id must be ON DELETE SET NULL")),
        }
    }

    /// Removes the rows in separate transactions, so that one failure does not keep the others.
    async fn clean_up(&self) -> Result<()> {
        let (user, session, audit_log) = (self.user.id, self.session.id, self.audit_log.id);
        let results = [
            removed(self.db, async |tx| audit_logs::delete(tx, audit_log).await).await,
            removed(self.db, async |tx| sessions::delete(tx, session).await).await,
            removed(self.db, async |tx| users::delete(tx.accounts(), user).await).await,
        ];
        let is_gone = users::find(self.db, user).await?.is_none()
            && list::by_ids::<Session>(self.db, &[session.into()]).await?.is_empty()
            && list::by_ids::<AuditLog>(self.db, &[audit_log.into()]).await?.is_empty();
        if is_gone {
            return Ok(());
        }
        let left = format!("the user {user}, the session {session} or the audit log {audit_log} could not be removed");
        Err(results
            .into_iter()
            .find_map(Result::err)
            .map_or_else(|| fault(left.clone()), |cause| cause.with_message(left.clone())))
    }
}

/// A delete in a transaction of its own.
async fn removed(db: &Db, delete: impl AsyncFnOnce(&mut Tx) -> Result<bool>) -> Result<()> {
    let mut tx = db.begin().await?;
    delete(&mut tx).await?;
    tx.commit().await
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(fault(format!("{what}: expected {expected:?}, found {found:?}")))
}

fn fault(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::Internal, message)
}
