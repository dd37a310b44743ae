//! What `docker-compose.yml` and the scripts beside it do with secrets.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path, process::Command};

const COMPOSE: &str = include_str!("../../docker-compose.yml");

/// The lines of one service.
fn service(name: &str) -> &'static str {
    let (_, rest) = COMPOSE.split_once(&format!("\n  {name}:\n")).expect("the service");
    let end = rest.match_indices("\n  ").find(|(at, _)| rest.as_bytes()[at + 3].is_ascii_alphanumeric());
    &rest[..end.map_or(rest.len(), |(at, _)| at)]
}

#[test]
fn compose_hands_secrets_to_containers_as_files_only() {
    for line in COMPOSE.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once(": ")
            && (name.contains("PASSWORD") || name.contains("DATABASE_URL"))
        {
            assert!(name.ends_with("_FILE") && value.starts_with("/run/secrets/"), "{line}");
        }
        assert!(!line.contains("://"), "no URL, in which a password could stand: {line}");
    }
}

#[test]
fn compose_runs_the_server_as_the_role_that_cannot_change_the_audit_log() {
    let api = service("api");
    assert!(api.contains("DATABASE_URL_FILE: /run/secrets/server_database_url"), "{api}");
    assert!(!api.contains("owner") && !api.contains("GUARDIANEYE_MIGRATE"), "{api}");
    assert!(api.contains("roles:\n        condition: service_completed_successfully"), "{api}");
    assert!(api.contains("GUARDIANEYE_ALLOWED_HOSTS: localhost"), "{api}");
    let roles = service("roles");
    assert!(roles.contains("/deploy/roles.sh") && roles.contains("./deploy:/deploy:ro"), "{roles}");
    assert!(service("init").contains("DATABASE_URL_FILE: /run/secrets/owner_database_url"), "{COMPOSE}");
}

#[test]
fn new_secrets_are_random_kept_and_closed_to_other_users() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = ["one", "two"].map(|name| make(&folder.path().join(name)));
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        [
            "admin_password",
            "local_database_url",
            "owner_database_url",
            "owner_password",
            "server_database_url",
            "server_password",
        ]
    );
    for name in ["admin_password", "owner_password", "server_password"] {
        let secret = first[name].trim_end();
        assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}: {secret}");
        assert_ne!(first[name], second[name]);
        assert!(COMPOSE.contains(&format!("file: ./secrets/{name}\n")), "{name}");
    }
    let url =
        format!("postgres://guardianeye_server:{}@postgres:5432/guardianeye\n", first["server_password"].trim_end());
    assert_eq!(first["server_database_url"], url);
    let url = format!("postgres://guardianeye:{}@postgres:5432/guardianeye\n", first["owner_password"].trim_end());
    assert_eq!(first["owner_database_url"], url);
    assert_eq!(make(&folder.path().join("one")), first, "a second run changes nothing");
    let mode = std::fs::metadata(folder.path().join("one")).expect("the folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// Runs the script; the content of each file that it leaves.
fn make(folder: &Path) -> BTreeMap<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/make-secrets.sh");
    assert!(Command::new(script).arg(folder).output().expect("runs").status.success());
    let files = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a file").path());
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    files.map(|path| (name(&path), std::fs::read_to_string(&path).expect("reads"))).collect()
}
