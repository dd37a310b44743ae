//! The writes: one function per intent, which is its rules, one transaction and its audit entry.
//! No GraphQL and no HTTP here; the only place where transactions begin and end.

pub mod access_denials;
pub mod agent_log;
pub mod api_tokens;
mod attempted_names;
pub mod audit;
pub mod auth_sessions;
pub mod characters;
mod conflicts;
pub mod idempotency;
pub mod login;
mod names;
pub mod passwords;
mod server_secrets;
pub mod sessions;
mod signing_keys;
mod text;
mod throttle;
pub mod users;

use tokio_util::task::TaskTracker;

use crate::{
    auth::{
        AccessTokens, AuthCache, Authenticated, CostLimiter, HashCost, KeyedHasher, PasswordHasher, StatementLimiter,
        WriteLimiter,
    },
    clock::Clock,
    config::Limits,
    db::{self, Db, Tx},
    error::Result,
    model::{AuditLog, Timestamp},
};

use self::{
    access_denials::AccessDenials,
    api_tokens::LastUsedRecorder,
    audit::{By, Entry},
};

/// What the writes stand on; built once at the start. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Services {
    pub db: Db,
    pub clock: Clock,
    pub password_hasher: PasswordHasher,
    pub access_tokens: AccessTokens,
    pub keyed_hasher: KeyedHasher,
    pub auth_cache: AuthCache,
    pub cost_limiter: CostLimiter,
    pub write_limiter: WriteLimiter,
    pub statement_limiter: StatementLimiter,
    pub access_denials: AccessDenials,
    pub limits: Limits,
    pub last_used: LastUsedRecorder,
    /// Work that goes on when its client goes away; the server stops after it.
    pub detached: TaskTracker,
}

/// Where a request came from, for the audit log.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The address of the peer.
    pub ip_address: Option<String>,
    /// What it calls itself, cut to 512 characters.
    pub user_agent: Option<String>,
    /// Whether it asks through a proxy on this machine that is not named as trusted, so that it may be anybody.
    pub through_untrusted_proxy: bool,
}

/// What is to become of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    #[default]
    Keep,
    Set(T),
}

impl<T: Clone> Patch<T> {
    /// The value afterwards.
    fn or(self, before: &T) -> T {
        match self {
            Self::Keep => before.clone(),
            Self::Set(value) => value,
        }
    }
}

/// Who does something: whom the rules are held against, and whom the audit entry names.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    pub services: &'a Services,
    /// The request's own handle on the database.
    pub db: &'a Db,
    pub principal: &'a Authenticated,
    pub client: &'a Client,
}

impl Actor<'_> {
    fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    async fn record(&self, tx: &mut Tx, entry: Entry, now: Timestamp) -> Result<AuditLog> {
        entry.record(tx, By::principal(self.principal, self.client), now).await
    }
}

impl Services {
    /// On a migrated database. The first instance ever makes the key pair that signs access tokens.
    pub async fn new(db: Db, clock: Clock, limits: Limits, strength: HashCost) -> Result<Self> {
        let password_hasher = PasswordHasher::new(strength, limits.hashing_threads)?;
        let older = db::users::older_hashes(&db).await?;
        if !older.is_empty() {
            tracing::info!(
                hashes = older.join(" "),
                "there are passwords hashed by an older program: until all have logged in and the server is started again, \
                 a refused login takes as long as theirs"
            );
        }
        for beginning in &older {
            password_hasher.expect_older(beginning);
        }
        signing_keys::ensure(&db, clock).await?;
        let access_tokens = AccessTokens::load(&db, clock.now()).await?;
        let keyed_hasher = server_secrets::keyed_hasher(&db, clock).await?;
        let cost_limiter = CostLimiter::new(limits.document.cost_per_minute, clock);
        let write_limiter = WriteLimiter::new(limits.writes, clock);
        let statement_limiter = StatementLimiter::new(limits.statements_per_principal);
        let access_denials = AccessDenials::new(clock);
        let (auth_cache, last_used, detached) = (AuthCache::default(), LastUsedRecorder::default(), TaskTracker::new());
        Ok(Self {
            db,
            clock,
            password_hasher,
            access_tokens,
            keyed_hasher,
            auth_cache,
            cost_limiter,
            write_limiter,
            statement_limiter,
            access_denials,
            limits,
            last_used,
            detached,
        })
    }
}
