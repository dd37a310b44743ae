//! The writes: one function per intent, which is its rules, one transaction and its audit entry.
//! No GraphQL and no HTTP here; the only place where transactions begin and end.

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
pub mod refusals;
mod server_secrets;
pub mod sessions;
mod signing_keys;
mod text;
mod throttle;
pub mod users;

use tokio_util::task::TaskTracker;

use crate::{
    auth::{Budget, Callers, Hasher, NameHasher, SignedIn, StatementPermits, Strength, Tokens, WriteLimit},
    clock::Clock,
    config::Limits,
    db::{self, Db, Tx},
    error::Result,
    model::{AuditLog, Timestamp},
};

use self::{
    api_tokens::Uses,
    audit::{By, Entry},
    refusals::Refusals,
};

/// What the writes stand on; built once at the start. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Services {
    pub db: Db,
    pub clock: Clock,
    pub hasher: Hasher,
    pub tokens: Tokens,
    pub names: NameHasher,
    pub callers: Callers,
    pub budget: Budget,
    pub write_limit: WriteLimit,
    pub statements: StatementPermits,
    pub refusals: Refusals,
    pub limits: Limits,
    pub uses: Uses,
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
    pub through_unnamed_proxy: bool,
}

/// What is to become of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    #[default]
    Keep,
    To(T),
}

impl<T: Clone> Change<T> {
    /// The value afterwards.
    fn or(self, before: &T) -> T {
        match self {
            Self::Keep => before.clone(),
            Self::To(value) => value,
        }
    }
}

/// Who does something: whom the rules are held against, and whom the audit entry names.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    pub services: &'a Services,
    /// The request's own handle on the database.
    pub db: &'a Db,
    pub caller: &'a SignedIn,
    pub client: &'a Client,
}

impl Actor<'_> {
    fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    async fn record(&self, tx: &mut Tx, entry: Entry, now: Timestamp) -> Result<AuditLog> {
        entry.record(tx, By::signed_in(self.caller, self.client), now).await
    }
}

impl Services {
    /// On a migrated database. The first instance ever makes the key pair that signs access tokens.
    pub async fn new(db: Db, clock: Clock, limits: Limits, strength: Strength) -> Result<Self> {
        let hasher = Hasher::new(strength, limits.hashing_threads)?;
        let older = db::users::older_hashes(&db).await?;
        if !older.is_empty() {
            tracing::info!(
                hashes = older.join(" "),
                "there are passwords hashed by an older program: until all have logged in and the server is started again, \
                 a refused login takes as long as theirs"
            );
        }
        for beginning in &older {
            hasher.expect_older(beginning);
        }
        signing_keys::ensure(&db, clock).await?;
        let tokens = Tokens::load(&db, clock.now()).await?;
        let names = server_secrets::name_hasher(&db, clock).await?;
        let budget = Budget::new(limits.document.cost_per_minute, clock);
        let write_limit = WriteLimit::new(limits.writes, clock);
        let statements = StatementPermits::new(limits.statements_per_principal);
        let refusals = Refusals::new(clock);
        let (callers, uses, detached) = (Callers::default(), Uses::default(), TaskTracker::new());
        Ok(Self {
            db,
            clock,
            hasher,
            tokens,
            names,
            callers,
            budget,
            write_limit,
            statements,
            refusals,
            limits,
            uses,
            detached,
        })
    }
}
