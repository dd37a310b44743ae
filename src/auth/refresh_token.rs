//! Refresh tokens: 256 random bits, stored as their SHA-256. The successor of a token is derived from the token and a key in
//! the database. Browser tabs that refresh at the same time therefore get the same successor, although it is not stored.

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    db::refresh_tokens::TokenHash,
    error::{Error, Result},
};

/// Identifies refresh tokens for scanners and for people.
const PREFIX: &str = "ger_";

/// A refresh token.
#[derive(Clone, Debug)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// A new random token, and the key that derives its successors.
    pub fn generate() -> Result<(Self, [u8; 32])> {
        let (mut bits, mut key) = ([0; 32], [0; 32]);
        rand::fill(&mut bits).map_err(Error::internal)?;
        rand::fill(&mut key).map_err(Error::internal)?;
        Ok((Self::from_bits(&bits), key))
    }

    /// The token that a client sent.
    #[must_use]
    pub fn from_client(text: String) -> Self {
        Self(text.into())
    }

    /// The token that replaces it.
    #[must_use]
    pub fn successor(&self, key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self::from_bits(hmac::sign(&key, self.0.expose_secret().as_bytes()).as_ref())
    }

    /// The SHA-256 that the database stores.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.expose_secret().as_bytes()).into()
    }

    /// The token itself, for the response that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn from_bits(bits: &[u8]) -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bits)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successor_is_derived_from_token_and_key() {
        let (token, key) = RefreshToken::generate().expect("random bits");
        let (other, other_key) = RefreshToken::generate().expect("random bits");
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
