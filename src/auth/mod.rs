//! Who asks: passwords, access tokens, and the caller that comes out of them. No HTTP and no GraphQL here.

mod api_token;
mod argon2id;
mod auth_cache;
mod buckets;
mod checked_tokens;
mod cost_limiter;
mod key_set;
mod keyed_hasher;
mod older_hash;
mod password;
mod password_policy;
mod principal;
mod refresh_token;
mod statement_limiter;
mod token;
mod write_limiter;

pub use self::{
    api_token::ApiTokenSecret,
    auth_cache::AuthCache,
    cost_limiter::{CostLimiter, RateLimitStatus},
    key_set::{ACCEPTED_AFTER_RETIREMENT, PublicKey},
    keyed_hasher::KeyedHasher,
    password::{HashCost, HashCounts, HashPermit, PasswordHasher, is_same_password},
    password_policy::{MAX_PASSWORD_BYTES, PasswordPolicy},
    principal::{Authenticated, Credential, Principal, authenticate},
    refresh_token::RefreshToken,
    statement_limiter::StatementLimiter,
    token::{AccessToken, AccessTokenClaims, AccessTokens, new_signing_key},
    write_limiter::WriteLimiter,
};
