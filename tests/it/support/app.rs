//! The server as tests see it: its router called in process, on a fixed clock, with cheap password hashes.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::Router;
use futures_util::FutureExt;
use guardianeye::{
    auth::{AccessTokenClaims, ApiTokenSecret, HashCost},
    clock::Clock,
    config::{HttpSettings, Limits},
    db::{Db, api_tokens, audit_logs, auth_sessions, sessions, users},
    graphql::GraphqlApi,
    http::App,
    model::{
        ApiToken, ApiTokenId, AuditAction, AuditLog, AuditLogId, AuthSession, AuthSessionId, Credentials, RawJson,
        Role, Scope, Scopes, Session, SessionId, Timestamp, User, UserId,
    },
    services::Services,
};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;

use super::{Backend, Caller, Database};

/// When every test happens.
const NOW: &str = "2026-03-01T12:00:00Z";

pub struct TestApp {
    pub backend: Backend,
    pub database: Database,
    pub services: Services,
    pub router: Router,
    viewer: User,
    analyst: User,
    admin: User,
}

impl TestApp {
    /// Tells a story on a fresh app, and cleans up whether it ends well or not.
    pub async fn run(backend: Backend, story: impl AsyncFnOnce(&Self)) {
        let app = Self::start(backend).await;
        let end = AssertUnwindSafe(story(&app)).catch_unwind().await;
        app.services.db.close().await;
        app.database.remove().await;
        if let Err(panic) = end {
            std::panic::resume_unwind(panic);
        }
    }

    async fn start(backend: Backend) -> Self {
        let database = Database::migrated(backend).await;
        let db = database.connect().await;
        let clock = Clock::Fixed(NOW.parse().expect("a time"));
        let services =
            Services::new(db, clock, Limits::default(), HashCost::Minimal).await.expect("the services start");
        let router =
            App { api: GraphqlApi::default(), services: Arc::new(services.clone()), http: Arc::new(anywhere()) }
                .router();
        let [viewer, analyst, admin] = [("vera", Role::Viewer), ("anna", Role::Analyst), ("adam", Role::Admin)]
            .map(|(name, role)| new_user(name, role, services.clock.now()));
        let app = Self { backend, database, services, router, viewer, analyst, admin };
        for user in [&app.viewer, &app.analyst, &app.admin] {
            app.insert_user(user.clone(), "a good password").await;
        }
        app
    }

    /// Another server on the same database, within other limits.
    pub async fn within(&self, change: impl FnOnce(&mut Limits)) -> Router {
        self.on(self.db().clone(), change).await
    }

    /// The same with connections of its own.
    pub async fn on(&self, db: Db, change: impl FnOnce(&mut Limits)) -> Router {
        let mut limits = Limits::default();
        change(&mut limits);
        let services = Services::new(db, self.services.clock, limits, HashCost::Minimal).await.expect("starts");
        App { api: GraphqlApi::default(), services: Arc::new(services), http: Arc::new(anywhere()) }.router()
    }

    /// Another server on the same database, some seconds later.
    pub async fn later(&self, seconds: i64) -> Router {
        let clock = Clock::Fixed(self.now().plus_seconds(seconds));
        let services =
            Services::new(self.db().clone(), clock, Limits::default(), HashCost::Minimal).await.expect("starts");
        App { api: GraphqlApi::default(), services: Arc::new(services), http: Arc::new(anywhere()) }.router()
    }

    pub fn db(&self) -> &Db {
        &self.services.db
    }

    pub fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// Nobody.
    pub fn anonymous(&self) -> Caller<'_> {
        Caller::new(self, None)
    }

    pub fn viewer(&self) -> Caller<'_> {
        self.logged_in(&self.viewer)
    }

    pub fn analyst(&self) -> Caller<'_> {
        self.logged_in(&self.analyst)
    }

    pub fn admin(&self) -> Caller<'_> {
        self.logged_in(&self.admin)
    }

    /// The user with a valid token.
    pub fn logged_in(&self, user: &User) -> Caller<'_> {
        let subject = subject_of(user.id);
        let token = self.services.access_tokens.issue(subject, Timestamp::MAX, self.now()).expect("a token").token;
        Caller::new(self, Some((user.id, token)))
    }

    /// A token of the user's for scripts, with these scopes.
    pub async fn api_token(&self, user: UserId, scopes: &[Scope]) -> (ApiToken, Caller<'_>) {
        let key = ApiTokenSecret::generate().expect("random bits");
        let token = ApiToken {
            id: ApiTokenId::new(self.now()),
            user_id: user,
            name: "a script".to_owned(),
            scopes: Scopes::new(scopes.to_vec()),
            created_at: self.now(),
            expires_at: self.now().plus_seconds(60),
            last_used_at: None,
            revoked_at: None,
        };
        let mut tx = self.db().begin().await.expect("a transaction");
        api_tokens::insert(&mut tx, &token, key.hash()).await.expect("inserts");
        tx.commit().await.expect("commits");
        (token, Caller::new(self, Some((user, key.expose().to_owned()))))
    }

    /// A further user.
    pub async fn user(&self, name: &str, role: Role, created_at: Timestamp) -> User {
        let user = new_user(name, role, created_at);
        self.insert_user(user.clone(), "a good password").await;
        user
    }

    pub async fn insert_user(&self, user: User, password: &str) {
        let hashed_password = self.services.password_hasher.hash(SecretString::from(password)).await.expect("a hash");
        let mut tx = self.db().begin().await.expect("a transaction");
        let login = AuthSession {
            id: subject_of(user.id).auth_session,
            user_id: user.id,
            created_at: self.now(),
            last_used_at: self.now(),
            expires_at: Timestamp::MAX,
            ip_address: None,
            user_agent: None,
            revoked_at: None,
        };
        let credentials = Credentials { user, hashed_password, password_change_required: false };
        assert!(users::insert(&mut tx, &credentials).await.expect("inserts"), "the user exists");
        auth_sessions::insert(&mut tx, &login, &[0; 32]).await.expect("inserts");
        tx.commit().await.expect("commits");
    }

    /// What no service does yet, or never will: a change behind the server's back, by the same text on either database.
    pub async fn execute(&self, statement: &str) {
        self.try_execute(statement).await.expect(statement);
    }

    /// The same for several statements in one text.
    pub async fn execute_all(&self, statements: &str) {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements));
        match self.backend {
            Backend::Sqlite => {
                let options = self.database.url.parse::<SqliteConnectOptions>().expect("a URL");
                options.connect().await.expect("connects").execute(statements).await.expect("runs");
            }
            Backend::Postgres => {
                PgConnection::connect(&self.database.url)
                    .await
                    .expect("connects")
                    .execute(statements)
                    .await
                    .expect("runs");
            }
        }
    }

    pub async fn try_execute(&self, statement: &str) -> sqlx::Result<()> {
        match self.backend {
            Backend::Sqlite => {
                let options = self.database.url.parse::<SqliteConnectOptions>()?.foreign_keys(true);
                options.connect().await?.execute(AssertSqlSafe(statement)).await?;
            }
            Backend::Postgres => {
                PgConnection::connect(&self.database.url).await?.execute(AssertSqlSafe(statement)).await?;
            }
        }
        Ok(())
    }

    /// A session of the user's.
    pub async fn session(&self, user: UserId, title: &str, created_at: Timestamp) -> Session {
        let session = Session {
            id: SessionId::new(created_at),
            user_id: user,
            thread_id: Some(format!("thread-{title}")),
            context: Some(RawJson(r#"{"agent": "triage",  "n": 1.50}"#.to_owned())),
            title: Some(title.to_owned()),
            is_active: true,
            created_at,
            updated_at: created_at,
            ended_at: None,
        };
        let mut tx = self.db().begin().await.expect("a transaction");
        assert!(sessions::insert(&mut tx, &session).await.expect("inserts"));
        tx.commit().await.expect("commits");
        session
    }

    /// An entry in the audit log.
    pub async fn audit_log(&self, user: Option<UserId>, timestamp: Timestamp) -> AuditLog {
        let entry = AuditLog {
            id: AuditLogId::new(timestamp),
            user_id: user,
            username: None,
            action: AuditAction::AgentExecution,
            details: Some(RawJson(r#"{"agent": "incident_triage"}"#.to_owned())),
            description: Some("Executed incident triage agent".to_owned()),
            ip_address: Some("192.0.2.10".to_owned()),
            user_agent: Some("test".to_owned()),
            success: true,
            timestamp,
        };
        let mut tx = self.db().begin().await.expect("a transaction");
        assert!(audit_logs::insert(&mut tx, &entry).await.expect("inserts"));
        tx.commit().await.expect("commits");
        entry
    }
}

/// Callers of these stories come from anywhere; how they got here is a story of its own.
fn anywhere() -> HttpSettings {
    HttpSettings { allow_plain_http: true, ..HttpSettings::default() }
}

/// The login that each user of a test has from the start.
pub fn subject_of(user: UserId) -> AccessTokenClaims {
    AccessTokenClaims { user, auth_session: AuthSessionId(Uuid::from_u128(Uuid::from(user).as_u128() ^ 1)) }
}

fn new_user(name: &str, role: Role, created_at: Timestamp) -> User {
    User {
        id: UserId::new(created_at),
        username: name.to_owned(),
        email: format!("{name}@example.com"),
        role,
        is_active: true,
        full_name: None,
        created_at,
        updated_at: created_at,
        last_login: None,
    }
}
