//! Secrets: from an environment variable, or from a file that a variable names. Never from an argument, as all programs of the
//! machine can read arguments.

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::accounts::NEW_PASSWORD;

pub(super) const DATABASE_URL: &str = "DATABASE_URL";
/// The password of the first admin; the default is `admin`.
const ADMIN_PASSWORD: &str = "GUARDIANEYE_ADMIN_PASSWORD";

/// Each secret is the value of this variable, or the content of the file that the variable `<NAME>_FILE` names.
pub(super) const SECRETS: [&str; 3] = [DATABASE_URL, ADMIN_PASSWORD, NEW_PASSWORD];

/// The help text of the commands that create the first admin.
pub(super) const ADMIN_PASSWORD_HELP: &str = "\
The environment variable GUARDIANEYE_ADMIN_PASSWORD, or the file that GUARDIANEYE_ADMIN_PASSWORD_FILE names, contains the
password of the first admin; the default is `admin`. DATABASE_URL_FILE names a file that contains the database URL.";

/// The database URL, if a variable or a file contains one.
pub(super) fn database_url() -> Result<Option<SecretString>, String> {
    secret(DATABASE_URL)
}

/// The password of the first admin, if a variable or a file contains one.
pub(super) fn admin_password() -> Result<Option<SecretString>, String> {
    secret(ADMIN_PASSWORD)
}

/// The password for `users reset-password`, if a variable or a file contains one.
pub fn new_password() -> Result<Option<SecretString>, String> {
    secret(NEW_PASSWORD)
}

/// A secret from its variable or its file; an empty variable counts as unset.
#[expect(clippy::disallowed_methods, reason = "clap would also accept it as an argument")]
fn secret(name: &str) -> Result<Option<SecretString>, String> {
    let variable = |name: &str| match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("the environment variable {name} is not UTF-8")),
    };
    match (variable(name)?, variable(&format!("{name}_FILE"))?) {
        (Some(_), Some(_)) => Err(format!("both {name} and {name}_FILE are set: unset one of them")),
        (value, None) => Ok(value.map(SecretString::from)),
        (None, Some(file)) => read(name, Path::new(&file)).map(Some),
    }
}

/// The content of a file without the line ending.
fn read(name: &str, file: &Path) -> Result<SecretString, String> {
    let about = format!("the file {} that {name}_FILE names", file.display());
    let text = std::fs::read_to_string(file).map_err(|cause| format!("{about} cannot be read: {cause}"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let secret = line.strip_suffix('\r').unwrap_or(line);
    match (secret.is_empty(), secret.contains(['\n', '\r'])) {
        (true, _) => Err(format!("{about} is empty")),
        (false, true) => Err(format!("{about} has more than one line")),
        (false, false) => Ok(SecretString::from(secret)),
    }
}

/// Returns true if a database URL contains a password, in its authority or as a parameter.
pub(super) fn has_password(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_password_in_a_url_is_detected() {
        for (url, found) in [
            ("postgres://user:secret@localhost/x", true),
            ("postgres://user:secret@%2Ftmp%2Fsocket:5432/x", true),
            ("postgres://localhost/x?user=u&password=secret", true),
            ("postgres://user@localhost/x", false),
            ("postgres://localhost:5432/x?sslmode=require", false),
            ("sqlite:data/guardianeye.db", false),
            ("data:x", false),
        ] {
            assert_eq!(has_password(url), found, "{url}");
        }
    }

    #[test]
    fn a_secret_file_has_exactly_one_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        for (content, secret) in [
            ("a secret", Ok("a secret")),
            ("a secret\n", Ok("a secret")),
            ("a secret\r\n", Ok("a secret")),
            (" spaces ", Ok(" spaces ")),
            ("", Err("is empty")),
            ("\n", Err("is empty")),
            ("two\nlines\n", Err("has more than one line")),
        ] {
            std::fs::write(&file, content).expect("writes");
            match (read("X", &file), secret) {
                (Ok(read), Ok(secret)) => assert_eq!(read.expose_secret(), secret),
                (Err(error), Err(message)) => {
                    let about = format!("the file {} that X_FILE names {message}", file.display());
                    assert_eq!(error, about);
                }
                (read, _) => panic!("{content:?}: {:?}", read.map(|secret| secret.expose_secret().to_owned())),
            }
        }
        let missing = read("X", &folder.path().join("missing")).expect_err("there is none");
        assert!(missing.contains("missing that X_FILE names cannot be read: No such file"), "{missing}");
    }
}
