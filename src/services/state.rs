//! The dependencies of the use cases.

use tokio_util::task::TaskTracker;

use super::{access_denials::AccessDenials, server_secrets, signing_keys, token_use::LastUsedRecorder};
use crate::{
    auth::{
        AccessTokens, Authenticator, CostLimiter, HashCost, KeyedHasher, PasswordHasher, StatementLimiter, WriteLimiter,
    },
    clock::Clock,
    config::Limits,
    db::{self, Db},
    error::Result,
};

/// What the use cases depend on; built once at the start. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Services {
    pub db: Db,
    pub clock: Clock,
    pub limits: Limits,
    pub password_hasher: PasswordHasher,
    pub access_tokens: AccessTokens,
    pub authenticator: Authenticator,
    pub keyed_hasher: KeyedHasher,
    pub cost_limiter: CostLimiter,
    pub write_limiter: WriteLimiter,
    pub statement_limiter: StatementLimiter,
    pub access_denials: AccessDenials,
    pub last_used: LastUsedRecorder,
    /// Work that continues when its client disconnects; the server waits for it before it stops.
    pub detached: TaskTracker,
}

impl Services {
    /// The services of a migrated database. The first instance on a database creates the key pair that signs access tokens.
    pub async fn new(db: Db, clock: Clock, limits: Limits, hash_cost: HashCost) -> Result<Self> {
        let password_hasher = PasswordHasher::new(hash_cost, limits.hashing_threads)?;
        let legacy_hashes = db::users::bcrypt_prefixes(&db).await?;
        if !legacy_hashes.is_empty() {
            tracing::info!(
                hashes = legacy_hashes.join(" "),
                "the database holds password hashes of an earlier program: every refused login takes as long as theirs, \
                 until all these users have logged in and the server has restarted"
            );
        }
        for prefix in &legacy_hashes {
            password_hasher.expect_legacy(prefix);
        }
        signing_keys::ensure(&db, clock).await?;
        let access_tokens = AccessTokens::load(&db, clock.now()).await?;
        let keyed_hasher = server_secrets::keyed_hasher(&db, clock).await?;
        Ok(Self {
            authenticator: Authenticator::new(access_tokens.clone(), limits.accounts.force_password_change),
            cost_limiter: CostLimiter::new(limits.document.cost_per_minute, clock),
            write_limiter: WriteLimiter::new(limits.writes, clock),
            statement_limiter: StatementLimiter::new(limits.statements_per_principal),
            access_denials: AccessDenials::new(clock),
            last_used: LastUsedRecorder::default(),
            detached: TaskTracker::new(),
            db,
            clock,
            limits,
            password_hasher,
            access_tokens,
            keyed_hasher,
        })
    }
}
