//! Passwords: hashing and verification, hashes of earlier programs, and the policy for new passwords.

mod argon2id;
mod hasher;
mod legacy_hash;
mod normalization;
mod policy;

pub use self::{
    hasher::{HashCost, HashCounts, HashPermit, PasswordHasher},
    normalization::is_same_password,
    policy::{MAX_PASSWORD_BYTES, PasswordPolicy},
};
