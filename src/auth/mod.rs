//! Who asks: passwords, access tokens, and the caller that comes out of them. No HTTP and no GraphQL here.

mod budget;
mod password;
mod principal;
mod token;

pub use self::{
    budget::{Budget, Charge},
    password::{Hasher, Strength},
    principal::{Principal, authenticate},
    token::{AccessToken, Tokens, new_signing_key},
};
