//! Who asks: passwords, access tokens, and the caller that comes out of them. No HTTP and no GraphQL here.

mod api_token;
mod argon2id;
mod budget;
mod callers;
mod checked_tokens;
mod older_hash;
mod password;
mod password_policy;
mod principal;
mod refresh_token;
mod token;

pub use self::{
    api_token::ApiKey,
    budget::{Budget, Charge},
    callers::Callers,
    password::{Hasher, Strength, Turn, Work, is_same},
    password_policy::{MAX_BYTES, Policy},
    principal::{Credential, Principal, SignedIn, authenticate},
    refresh_token::RefreshToken,
    token::{AccessToken, KEPT_AFTER_RETIREMENT, PublicKey, Subject, Tokens, new_signing_key},
};
