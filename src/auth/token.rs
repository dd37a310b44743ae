//! Access tokens: JWTs (RFC 9068) signed with Ed25519 (RFC 8037) by a key pair that all instances share in the database.

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V2Der},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    checked_tokens::{Checked, CheckedTokens},
    key_set::{KeySet, PublicKey},
};
use crate::{
    db::{Db, Meter, api_tokens::TokenHash, signing_keys::SigningKey},
    error::{Error, Result},
    json,
    model::{AuthSessionId, KeyId, Timestamp, UserId},
};

/// How long an access token holds, in seconds.
pub(super) const LIFETIME: i64 = 15 * 60;
/// By how much the clocks of two instances may differ, in seconds.
pub(super) const CLOCK_SKEW: i64 = 5;
/// Who signs, and for whom: this server, both times.
const ISSUER: &str = "guardianeye";

/// Issues and verifies access tokens.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    keys: Arc<KeySet>,
    validation: Arc<Validation>,
    checked: Arc<CheckedTokens>,
}

/// A token and when it ends.
#[derive(Debug)]
pub struct AccessToken {
    pub token: String,
    pub expires_at: Timestamp,
}

/// Whom an access token was issued to, and by which login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessTokenClaims {
    pub user: UserId,
    pub auth_session: AuthSessionId,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    /// The login (the name is that of `OpenID` Connect Front-Channel Logout).
    sid: Uuid,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: Uuid,
}

impl AccessTokens {
    /// Reads the keys from the database, where one has to be active.
    pub async fn load(db: &Db, now: Timestamp) -> Result<Self> {
        let keys = Arc::new(KeySet::load(db, now).await?);
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The times are compared by `verify`, with our clock.
        validation.validate_exp = false;
        Ok(Self { keys, validation: Arc::new(validation), checked: Arc::default() })
    }

    /// A new access token. It ends with the login at the latest.
    pub fn issue(&self, subject: AccessTokenClaims, login_ends: Timestamp, now: Timestamp) -> Result<AccessToken> {
        let expires_at = now.plus_seconds(LIFETIME).min(login_ends);
        let iat = now.datetime().timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: subject.user.into(),
            sid: subject.auth_session.into(),
            exp: expires_at.datetime().timestamp(),
            nbf: iat,
            iat,
            jti: Uuid::new_v4(),
        };
        let token = self.keys.with_active(|kid, key| {
            let header =
                Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.to_string()), ..Header::new(Algorithm::EdDSA) };
            jsonwebtoken::encode(&header, &claims, key).map_err(Error::internal)
        })?;
        Ok(AccessToken { token, expires_at })
    }

    /// Whom a token that holds was issued to; `None` for any that does not hold.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<AccessTokenClaims>> {
        self.verify_hashed(token, Sha256::digest(token).into(), now).await
    }

    /// The same where the token's SHA-256 is known.
    pub(super) async fn verify_hashed(
        &self,
        token: &str,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<AccessTokenClaims>> {
        self.keys.refresh(now).await?;
        let checked = match self.checked.find(&hash) {
            Some(checked) => Some(checked).filter(|checked| self.keys.accepts(checked.kid, now)),
            None => self.check(token, hash, now).await?,
        };
        let seconds = now.datetime().timestamp();
        let holding =
            checked.filter(|checked| checked.begins.saturating_sub(CLOCK_SKEW) <= seconds && seconds < checked.ends);
        Ok(holding.map(|checked| checked.subject))
    }

    /// What a token says that was signed by a key of ours.
    async fn check(&self, token: &str, hash: TokenHash, now: Timestamp) -> Result<Option<Checked>> {
        let Some(kid) = key_id(token) else { return Ok(None) };
        let Some(key) = self.keys.find(kid, now).await? else { return Ok(None) };
        let Ok(decoded) = jsonwebtoken::decode::<Claims>(token, &key, &self.validation) else { return Ok(None) };
        let Claims { sub, sid, exp, nbf, iat, .. } = decoded.claims;
        if exp.saturating_sub(iat) > LIFETIME {
            return Ok(None);
        }
        let subject = AccessTokenClaims { user: UserId(sub), auth_session: AuthSessionId(sid) };
        let checked = Checked { kid, subject, begins: nbf.max(iat), ends: exp };
        self.checked.keep(hash, checked);
        Ok(Some(checked))
    }

    /// The public parts of all keys whose tokens are accepted, the newest first.
    #[must_use]
    pub fn public_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        self.keys.public_keys(now)
    }

    /// Reads the keys again when that was some seconds ago; called wherever tokens are issued or keys are shown.
    pub async fn refresh_keys(&self, now: Timestamp) -> Result<()> {
        self.keys.refresh(now).await
    }

    /// Counts the statements that read the keys.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        self.keys.meter()
    }
}

/// The key that a token's header names, if it names nothing else than the headers of our own tokens do. The library reads
/// any further field into a value that is not safe to read into (see [`crate::json`]), before it looks at the signature.
fn key_id(token: &str) -> Option<KeyId> {
    let (header, _) = token.split_once('.')?;
    let header = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header = json::read("header", &header).ok()?;
    let field = |name: &str| header.get(name)?.as_str();
    let is_ours = header.as_object()?.len() == 3 && field("alg") == Some("EdDSA") && field("typ") == Some("at+jwt");
    field("kid").filter(|_| is_ours)?.parse().ok()
}

/// A fresh key pair, not yet stored.
pub fn new_signing_key(now: Timestamp) -> Result<SigningKey> {
    let pair = Ed25519KeyPair::generate().map_err(Error::internal)?;
    let private_key: Pkcs8V2Der<'_> = pair.as_der().map_err(Error::internal)?;
    Ok(SigningKey {
        kid: KeyId::new(now),
        private_key: private_key.as_ref().to_vec(),
        public_key: pair.public_key().as_ref().to_vec(),
        created_at: now,
        retired_at: None,
    })
}
