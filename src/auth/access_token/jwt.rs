//! Issues and verifies access tokens.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    claims::{AccessTokenClaims, CLOCK_SKEW, LIFETIME},
    signing_keys::{PublicKey, SigningKeys},
    verified_tokens::{VerifiedToken, VerifiedTokens},
};
use crate::{
    db::{Db, Meter, api_tokens::TokenHash},
    error::{Error, Result},
    json,
    model::{AuthSessionId, KeyId, Timestamp, UserId},
};

/// The issuer (`iss`) and the audience (`aud`): both are this server.
const ISSUER: &str = "guardianeye";

/// Issues and verifies access tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    keys: Arc<SigningKeys>,
    validation: Arc<Validation>,
    verified: Arc<VerifiedTokens>,
}

/// A signed token and its expiry.
#[derive(Debug)]
pub struct AccessToken {
    pub token: String,
    pub expires_at: Timestamp,
}

/// The payload of the JWT.
#[derive(Deserialize, Serialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: Uuid,
    /// The login session (the name is that of `OpenID` Connect Front-Channel Logout).
    sid: Uuid,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: Uuid,
}

impl AccessTokens {
    /// Reads the keys from the database, which must hold an active one.
    pub async fn load(db: &Db, now: Timestamp) -> Result<Self> {
        let keys = Arc::new(SigningKeys::load(db, now).await?);
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // `verify_hashed` compares the times with the server's clock.
        validation.validate_exp = false;
        Ok(Self { keys, validation: Arc::new(validation), verified: Arc::default() })
    }

    /// A new access token. It expires with the login session at the latest.
    pub fn issue(
        &self,
        claims: AccessTokenClaims,
        session_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<AccessToken> {
        let expires_at = now.plus_seconds(LIFETIME).min(session_expires_at);
        let iat = now.datetime().timestamp();
        let payload = Payload {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: claims.user.into(),
            sid: claims.auth_session.into(),
            exp: expires_at.datetime().timestamp(),
            nbf: iat,
            iat,
            jti: Uuid::new_v4(),
        };
        let token = self.keys.with_active(|kid, key| {
            let header =
                Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.to_string()), ..Header::new(Algorithm::EdDSA) };
            jsonwebtoken::encode(&header, &payload, key).map_err(Error::internal)
        })?;
        Ok(AccessToken { token, expires_at })
    }

    /// The claims of a valid token; `None` for an invalid one.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<AccessTokenClaims>> {
        self.verify_hashed(token, Sha256::digest(token).into(), now).await
    }

    /// As [`verify`](Self::verify), with the SHA-256 of the token.
    pub(in crate::auth) async fn verify_hashed(
        &self,
        token: &str,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<AccessTokenClaims>> {
        self.keys.refresh(now).await?;
        let verified = match self.verified.get(&hash) {
            Some(verified) => Some(verified).filter(|verified| self.keys.accepts(verified.kid, now)),
            None => self.verify_signature(token, hash, now).await?,
        };
        let seconds = now.datetime().timestamp();
        let current = verified.filter(|verified| {
            verified.not_before.saturating_sub(CLOCK_SKEW) <= seconds && seconds < verified.expires_at
        });
        Ok(current.map(|verified| verified.claims))
    }

    /// Verifies the signature and caches the token. `None` for a token that no accepted key signed.
    async fn verify_signature(&self, token: &str, hash: TokenHash, now: Timestamp) -> Result<Option<VerifiedToken>> {
        let Some(kid) = key_id(token) else { return Ok(None) };
        let Some(key) = self.keys.find(kid, now).await? else { return Ok(None) };
        let Ok(decoded) = jsonwebtoken::decode::<Payload>(token, &key, &self.validation) else { return Ok(None) };
        let Payload { sub, sid, exp, nbf, iat, .. } = decoded.claims;
        if exp.saturating_sub(iat) > LIFETIME {
            return Ok(None);
        }
        let claims = AccessTokenClaims { user: UserId(sub), auth_session: AuthSessionId(sid) };
        let verified = VerifiedToken { kid, claims, not_before: nbf.max(iat), expires_at: exp };
        self.verified.insert(hash, verified);
        Ok(Some(verified))
    }

    /// The public keys of all accepted tokens, newest first.
    #[must_use]
    pub fn public_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        self.keys.public_keys(now)
    }

    /// Reads the keys again if they were read some seconds ago; called before tokens are issued and keys are published.
    pub async fn refresh_keys(&self, now: Timestamp) -> Result<()> {
        self.keys.refresh(now).await
    }

    /// The statements that read the keys.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        self.keys.meter()
    }
}

/// The key id in the header of a token; `None` if the header has other fields than those of this server's tokens. Before
/// `jsonwebtoken` verifies the signature, it reads any further field into a value that is unsafe for input of clients (see
/// [`crate::json`]).
fn key_id(token: &str) -> Option<KeyId> {
    let (header, _) = token.split_once('.')?;
    let header = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header = json::read("header", &header).ok()?;
    let field = |name: &str| header.get(name)?.as_str();
    let is_expected = header.as_object()?.len() == 3 && field("alg") == Some("EdDSA") && field("typ") == Some("at+jwt");
    field("kid").filter(|_| is_expected)?.parse().ok()
}
