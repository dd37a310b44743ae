//! Who asks: passwords, access tokens, and the caller that comes out of them. No HTTP and no GraphQL here.

mod budget;
mod password;
mod password_policy;
mod principal;
mod refresh_token;
mod token;

pub use self::{
    budget::{Budget, Charge},
    password::{Hasher, Strength, Turn, is_same},
    password_policy::{MAX_BYTES, Policy},
    principal::{Credential, Principal, SignedIn, authenticate},
    refresh_token::RefreshToken,
    token::{AccessToken, Subject, Tokens, new_signing_key},
};
