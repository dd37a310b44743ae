//! Refresh tokens: 256 random bits, stored as their SHA-256. A token's successor follows from the token and a key that
//! only the database has, so tabs that refresh at the same time get the same one, and it is stored nowhere.

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    db::refresh_tokens::TokenHash,
    error::{Error, Result},
};

/// By which scanners for leaked secrets, and people, know what it is.
const PREFIX: &str = "ger_";

/// A refresh token.
#[derive(Clone, Debug)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// A new one, and the key that makes the successors of it.
    pub fn new() -> Result<(Self, [u8; 32])> {
        let (mut bits, mut key) = ([0; 32], [0; 32]);
        rand::fill(&mut bits).map_err(Error::internal)?;
        rand::fill(&mut key).map_err(Error::internal)?;
        Ok((Self::of(&bits), key))
    }

    /// What a client sent.
    #[must_use]
    pub fn sent(text: String) -> Self {
        Self(text.into())
    }

    /// The token that comes after it.
    #[must_use]
    pub fn successor(&self, key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self::of(hmac::sign(&key, self.0.expose_secret().as_bytes()).as_ref())
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.expose_secret().as_bytes()).into()
    }

    /// The token itself, for the one client that gets it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn of(bits: &[u8]) -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bits)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_follows_from_token_and_key_alone() {
        let (token, key) = RefreshToken::new().expect("random bits");
        let (other, other_key) = RefreshToken::new().expect("random bits");
        let next = token.successor(&key);
        assert_eq!(next.expose(), token.successor(&key).expose());
        assert_eq!(next.expose().len(), PREFIX.len() + 43, "256 bits");
        for different in [&token, &other, &token.successor(&other_key), &other.successor(&key), &next.successor(&key)] {
            assert_ne!(next.expose(), different.expose());
            assert_ne!(next.hash(), different.hash());
        }
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}
