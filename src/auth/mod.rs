//! Who asks: passwords, access tokens, and the caller that comes out of them. No HTTP and no GraphQL here.

mod api_token;
mod argon2id;
mod auth_cache;
mod buckets;
mod budget;
mod checked_tokens;
mod key_set;
mod name_hasher;
mod older_hash;
mod password;
mod password_policy;
mod principal;
mod refresh_token;
mod statement_permits;
mod token;
mod write_limit;

pub use self::{
    api_token::ApiKey,
    auth_cache::Callers,
    budget::{Budget, Charge},
    key_set::{ACCEPTED_AFTER_RETIREMENT, PublicKey},
    name_hasher::NameHasher,
    password::{Hasher, Strength, Turn, Work, is_same},
    password_policy::{MAX_BYTES, Policy},
    principal::{Credential, Principal, SignedIn, authenticate},
    refresh_token::RefreshToken,
    statement_permits::StatementPermits,
    token::{AccessToken, Subject, Tokens, new_signing_key},
    write_limit::WriteLimit,
};
