//! Access tokens: JWTs (RFC 9068) signed with Ed25519 (RFC 8037). All instances share the key pairs in the database.

mod claims;
mod jwt;
mod signing_keys;
mod verified_tokens;

pub use self::{
    claims::AccessTokenClaims,
    jwt::{AccessToken, AccessTokens},
    signing_keys::{ACCEPTED_AFTER_RETIREMENT, PublicKey, new_signing_key},
};
