//! Authentication and rate limiting: credentials, the principal that they identify, and what a principal may consume.
//! No HTTP and no GraphQL here.

mod access_token;
mod api_token;
mod auth_cache;
mod authenticate;
mod keyed_hasher;
mod password;
mod principal;
mod rate_limit;
mod refresh_token;

pub use self::{
    access_token::{
        ACCEPTED_AFTER_RETIREMENT, AccessToken, AccessTokenClaims, AccessTokens, PublicKey, new_signing_key,
    },
    api_token::ApiTokenSecret,
    authenticate::Authenticator,
    keyed_hasher::KeyedHasher,
    password::{
        HashCost, HashCounts, HashPermit, MAX_PASSWORD_BYTES, PasswordHasher, PasswordPolicy, is_same_password,
    },
    principal::{Authenticated, Credential, Principal},
    rate_limit::{CostLimiter, PrincipalKey, RateLimitStatus, StatementLimiter, TokenBuckets, WriteLimiter},
    refresh_token::RefreshToken,
};
