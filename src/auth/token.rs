//! Access tokens: JWTs (RFC 9068) signed with Ed25519 (RFC 8037) by a key pair that all instances share in the database.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V2Der},
    signature::{Ed25519KeyPair, KeyPair},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::checked_tokens::{Checked, CheckedTokens};
use crate::{
    db::{
        Db,
        api_tokens::TokenHash,
        signing_keys::{self, SigningKey},
    },
    error::{Error, Result},
    model::{AuthSessionId, KeyId, Timestamp, UserId},
};

/// How long an access token holds, in seconds.
const LIFETIME: i64 = 15 * 60;
/// By how much the clocks of two instances may differ, in seconds.
const CLOCK_SKEW: i64 = 5;
/// How long a key is accepted after it was retired, in seconds: longer than any token that it signed holds, and than it
/// takes all instances to learn of it.
pub const KEPT_AFTER_RETIREMENT: i64 = 60 * 60;
/// How old the keys that we know may be when they are used, in seconds. Another instance, or `guardianeye keys rotate`,
/// may have changed them.
const RELOAD_AFTER: i64 = 5;
/// Who signs, and for whom: this server, both times.
const ISSUER: &str = "guardianeye";

/// Issues and verifies access tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    keys: Arc<RwLock<Keys>>,
    validation: Arc<Validation>,
    checked: Arc<CheckedTokens>,
}

struct Keys {
    active: (KeyId, EncodingKey),
    known: Vec<Known>,
    loaded_at: Timestamp,
}

/// A key that tokens are checked by.
struct Known {
    public: PublicKey,
    key: DecodingKey,
    retired_at: Option<Timestamp>,
}

impl Known {
    fn is_accepted(&self, now: Timestamp) -> bool {
        self.retired_at.is_none_or(|at| now < at.plus_seconds(KEPT_AFTER_RETIREMENT))
    }
}

/// What anybody may know of a key: enough to check what it signed.
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub kid: KeyId,
    /// 32 bytes (RFC 8032).
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("active", &self.active.0).finish_non_exhaustive()
    }
}

/// A token and when it ends.
#[derive(Debug)]
pub struct AccessToken {
    pub token: String,
    pub expires_at: Timestamp,
}

/// Whom an access token was issued to, and by which login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
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

impl Tokens {
    /// Reads the keys from the database, where one has to be active.
    pub async fn load(db: &Db, now: Timestamp) -> Result<Self> {
        let keys = Keys::load(db, now).await?.ok_or_else(|| Error::internal("there is no active signing key"))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The times are compared by `verify`, with our clock.
        validation.validate_exp = false;
        Ok(Self { keys: Arc::new(RwLock::new(keys)), validation: Arc::new(validation), checked: Arc::default() })
    }

    /// A new access token. It ends with the login at the latest.
    pub fn issue(&self, subject: Subject, login_ends: Timestamp, now: Timestamp) -> Result<AccessToken> {
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
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (kid, key) = &keys.active;
        let header =
            Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.to_string()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, key).map_err(Error::internal)?;
        Ok(AccessToken { token, expires_at })
    }

    /// Whom a token that holds was issued to; `None` for any that does not hold.
    pub async fn verify(&self, db: &Db, token: &str, now: Timestamp) -> Result<Option<Subject>> {
        self.verify_hashed(db, token, Sha256::digest(token).into(), now).await
    }

    /// The same where the token's SHA-256 is known.
    pub(super) async fn verify_hashed(
        &self,
        db: &Db,
        token: &str,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Subject>> {
        self.renew(db, now).await?;
        let checked = match self.checked.find(&hash) {
            Some(checked) => self.known(checked.kid, now).map(|_| checked),
            None => self.check(token, hash, now),
        };
        let seconds = now.datetime().timestamp();
        let holding =
            checked.filter(|checked| checked.begins.saturating_sub(CLOCK_SKEW) <= seconds && seconds < checked.ends);
        Ok(holding.map(|checked| checked.subject))
    }

    /// What a token says that was signed by a key of ours.
    fn check(&self, token: &str, hash: TokenHash, now: Timestamp) -> Option<Checked> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // An extension that has to be understood (RFC 7515, 4.1.11) is none that we understand.
        let (Some("at+jwt"), Some(kid), None) = (header.typ.as_deref(), header.kid, header.crit) else {
            return None;
        };
        let kid = kid.parse().ok()?;
        let key = self.known(kid, now)?;
        let Claims { sub, sid, exp, nbf, iat, .. } =
            jsonwebtoken::decode::<Claims>(token, &key, &self.validation).ok()?.claims;
        if exp.saturating_sub(iat) > LIFETIME {
            return None;
        }
        let subject = Subject { user: UserId(sub), auth_session: AuthSessionId(sid) };
        let checked = Checked { kid, subject, begins: nbf.max(iat), ends: exp };
        self.checked.keep(hash, checked);
        Some(checked)
    }

    /// The public parts of all keys whose tokens are accepted, the newest first.
    #[must_use]
    pub fn public_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.known.iter().filter(|known| known.is_accepted(now)).map(|known| known.public.clone()).collect()
    }

    fn known(&self, kid: KeyId, now: Timestamp) -> Option<DecodingKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.known.iter().find(|known| known.public.kid == kid && known.is_accepted(now)).map(|known| known.key.clone())
    }

    /// Reads the keys again when they were read some seconds ago; called wherever tokens are issued or checked. One
    /// request does it, outside of its own account, and the others go on meanwhile with what is known.
    pub async fn renew(&self, db: &Db, now: Timestamp) -> Result<()> {
        // Also when the clock was set back: what we know may be of any age then.
        let due = |keys: &Keys| {
            now >= keys.loaded_at.plus_seconds(RELOAD_AFTER) || keys.loaded_at >= now.plus_seconds(RELOAD_AFTER)
        };
        if !due(&self.keys.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            if !due(&keys) {
                return Ok(());
            }
            keys.loaded_at = now;
        }
        if let Some(keys) = Keys::load(&db.metered(), now).await? {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        Ok(())
    }
}

impl Keys {
    async fn load(db: &Db, now: Timestamp) -> Result<Option<Self>> {
        let mut active = None;
        let mut known = Vec::new();
        for key in signing_keys::list(db).await? {
            if key.retired_at.is_none() {
                active = Some((key.kid, EncodingKey::from_ed_der(&key.private_key)));
            }
            known.push(Known {
                key: DecodingKey::from_ed_der(&key.public_key),
                retired_at: key.retired_at,
                public: PublicKey { kid: key.kid, bytes: key.public_key },
            });
        }
        Ok(active.map(|active| Self { active, known, loaded_at: now }))
    }
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
