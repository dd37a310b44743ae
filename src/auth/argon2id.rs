//! Argon2 with memory that is asked for as it comes. The library asks for zeroed memory, which jemalloc gets anew from the
//! system, page by page, each time: nearly half of the time of a hash.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        CustomizedPasswordHasher, Error, PasswordHasher, Result,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

/// Hashes and verifies like [`Argon2`], in the same PHC strings.
#[derive(Clone, Debug)]
pub(super) struct Argon2id {
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

impl Argon2id {
    /// Argon2id in its current version (RFC 9106).
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
        // Behind the box the compiler does not see that the blocks are all zero, and ask for zeroed memory after all.
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

/// By which the library verifies: with the parameters of the stored hash.
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

    /// The library's own hashes and ours fit each other, also with other parameters than the current ones.
    #[test]
    fn hashes_are_those_of_the_library() {
        let params = |memory, passes, lanes| Params::new(memory, passes, lanes, None).expect("parameters");
        let ours = Argon2id::new(params(64, 1, 1));
        for (algorithm, version, params) in [
            (Algorithm::Argon2id, Version::V0x13, params(64, 1, 1)),
            (Algorithm::Argon2id, Version::V0x10, params(128, 3, 1)),
            (Algorithm::Argon2i, Version::V0x13, params(256, 2, 2)),
            (Algorithm::Argon2d, Version::V0x13, params(100, 1, 4)),
        ] {
            let theirs = Argon2::new(algorithm, version, params);
            let hash: PasswordHash = theirs.hash_password_with_salt(b"a password", b"sixteen bytes of").expect("hash");
            assert!(ours.verify_password(b"a password", &hash).is_ok(), "{hash}");
            assert!(ours.verify_password(b"another one", &hash).is_err(), "{hash}");
        }
        let salt = b"sixteen bytes of";
        let theirs = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(64, 1, 1));
        let theirs = theirs.hash_password_with_salt(b"a password", salt).expect("hash").to_string();
        assert_eq!(ours.hash_password_with_salt(b"a password", salt).expect("hash").to_string(), theirs);
    }
}
