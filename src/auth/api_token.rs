//! API tokens: `gey_`, 256 random bits in base62, and a checksum. With it, this server and scanners for leaked secrets
//! recognize a token without the database. The database stores the SHA-256 of a token.

use aws_lc_rs::rand;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    db::api_tokens::TokenHash,
    error::{Error, Result},
};

/// Identifies API tokens for the server, for scanners and for people.
const PREFIX: &str = "gey_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of base62 digits of 256 bits.
const RANDOM_DIGITS: usize = 43;
/// The number of base62 digits of a CRC-32.
const CHECKSUM_DIGITS: usize = 6;

/// The text of an API token.
#[derive(Clone, Debug)]
pub struct ApiTokenSecret(SecretString);

impl ApiTokenSecret {
    /// A new random token.
    pub fn generate() -> Result<Self> {
        let mut bits = [0; 32];
        rand::fill(&mut bits).map_err(Error::internal)?;
        let random = base62::<RANDOM_DIGITS>(&bits);
        Ok(Self(format!("{PREFIX}{random}{}", checksum(&random)).into()))
    }

    /// The token that a client sent; `None` if its form or checksum is wrong.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let (random, sum) = digits.split_at_checked(RANDOM_DIGITS)?;
        let is_well_formed =
            digits.len() == RANDOM_DIGITS + CHECKSUM_DIGITS && digits.bytes().all(|byte| ALPHABET.contains(&byte));
        (is_well_formed && sum == checksum(random)).then(|| Self(text.to_owned().into()))
    }

    /// Returns true if the text begins like an API token, valid or not.
    #[must_use]
    pub fn has_prefix(text: &str) -> bool {
        text.starts_with(PREFIX)
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
}

/// The CRC-32 (that of zip and PNG) of the random digits as ASCII, in base62.
fn checksum(random: &str) -> String {
    base62::<CHECKSUM_DIGITS>(&crc32fast::hash(random.as_bytes()).to_be_bytes())
}

/// A big-endian number in `N` base62 digits, which must suffice: long division, one digit at a time from the right.
fn base62<const N: usize>(number: &[u8]) -> String {
    let mut rest = number.to_vec();
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_usize;
        for byte in &mut rest {
            let value = remainder * 256 + usize::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            remainder = value % 62;
        }
        *digit = ALPHABET[remainder];
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_encodes_numbers() {
        assert_eq!(base62::<6>(&[0, 0, 0, 0]), "000000");
        assert_eq!(base62::<6>(&[0, 0, 0, 61]), "00000z");
        assert_eq!(base62::<6>(&[0, 0, 0, 62]), "000010");
        assert_eq!(base62::<6>(&[255; 4]), "4gfFC3", "2^32 - 1");
        assert_eq!(base62::<43>(&[255; 32]).len(), 43);
        assert!(base62::<43>(&[255; 32]) > base62::<43>(&[254; 32]), "no digit is lost");
    }

    #[test]
    fn checksum_detects_any_changed_character() {
        let key = ApiTokenSecret::generate().expect("random bits");
        let text = key.expose();
        assert_eq!(text.len(), 53);
        assert_eq!(ApiTokenSecret::parse(text).expect("a token").hash(), key.hash());
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(ApiTokenSecret::parse(std::str::from_utf8(&bytes).expect("ASCII")).is_none(), "at {at}");
        }
        for other in ["", "gey_", &text[..52], &format!("{text}0"), &text[4..], &format!("gey_{}", "ü".repeat(30))] {
            assert!(ApiTokenSecret::parse(other).is_none(), "{other}");
        }
        assert!(!format!("{key:?}").contains(text));
    }
}
