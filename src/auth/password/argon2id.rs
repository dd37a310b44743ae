//! Argon2id with memory that the allocator does not zero. The `argon2` crate requests zeroed memory, which jemalloc maps anew
//! from the system, page by page, for each hash: nearly half of its time. See
//! `docs/decisions/012-password-hash-timing.md`.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        CustomizedPasswordHasher, Error, PasswordHasher, Result,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

/// Hashes and verifies as [`Argon2`] does, with the same PHC strings.
#[derive(Clone, Debug)]
pub(super) struct Argon2id {
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

impl Argon2id {
    /// Argon2id, version 0x13 (RFC 9106).
    pub fn new(params: Params) -> Self {
        Self { algorithm: Algorithm::Argon2id, version: Version::V0x13, params }
    }
}

impl PasswordHasher<PasswordHash> for Argon2id {
    fn hash_password_with_salt(&self, password: &[u8], salt: &[u8]) -> Result<PasswordHash> {
        let salt = Salt::new(salt)?;
        let mut output = [0; Output::MAX_LENGTH];
        let length = self.params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output = output.get_mut(..length).ok_or(Error::OutputSize)?;
        let count = self.params.block_count();
        // Without the barrier the compiler merges the allocation and the zeros into one request for zeroed memory.
        let mut blocks = std::hint::black_box(Vec::with_capacity(count));
        blocks.resize(count, Block::new());
        Argon2::new(self.algorithm, self.version, self.params.clone()).hash_password_into_with_memory(
            password,
            &salt,
            output,
            &mut blocks,
        )?;
        Ok(PasswordHash {
            algorithm: self.algorithm.ident(),
            version: Some(self.version.into()),
            params: ParamsString::try_from(&self.params)?,
            salt: Some(salt),
            hash: Some(Output::new(output)?),
        })
    }
}

/// Verification by the crate: with the algorithm, version and parameters of the stored hash.
impl CustomizedPasswordHasher<PasswordHash> for Argon2id {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        Self { algorithm, version, params }.hash_password_with_salt(password, salt)
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier;

    use super::*;

    #[test]
    fn hashes_are_interchangeable_with_those_of_the_crate() {
        let params = |memory, passes, lanes| Params::new(memory, passes, lanes, None).expect("parameters");
        let argon2id = Argon2id::new(params(64, 1, 1));
        for (algorithm, version, params) in [
            (Algorithm::Argon2id, Version::V0x13, params(64, 1, 1)),
            (Algorithm::Argon2id, Version::V0x10, params(128, 3, 1)),
            (Algorithm::Argon2i, Version::V0x13, params(256, 2, 2)),
            (Algorithm::Argon2d, Version::V0x13, params(100, 1, 4)),
        ] {
            let expected = Argon2::new(algorithm, version, params);
            let hash: PasswordHash =
                expected.hash_password_with_salt(b"a password", b"sixteen bytes of").expect("hash");
            assert!(argon2id.verify_password(b"a password", &hash).is_ok(), "{hash}");
            assert!(argon2id.verify_password(b"another one", &hash).is_err(), "{hash}");
        }
        let salt = b"sixteen bytes of";
        let expected = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(64, 1, 1));
        let expected = expected.hash_password_with_salt(b"a password", salt).expect("hash").to_string();
        assert_eq!(argon2id.hash_password_with_salt(b"a password", salt).expect("hash").to_string(), expected);
    }
}
