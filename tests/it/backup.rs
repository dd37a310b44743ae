//! Backups of the database, and who can read its files.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use guardianeye::db::{Db, Settings};

use crate::support::{Backend, Database, Server};

fn run(url: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_guardianeye")).args(args).env("DATABASE_URL", url).output().expect("runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn file_of(database: &Database) -> PathBuf {
    database.url.trim_start_matches("sqlite:").into()
}

#[cfg(unix)]
fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).expect("the file").permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).expect("changes");
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_made_while_others_write_and_can_be_restored() {
    let database = Database::empty(Backend::Sqlite).await;
    assert!(run(&database.url, &["db", "init"]).status.success());
    assert!(
        run(&database.url, &["db", "seed", "--users", "20", "--sessions", "2000", "--audit-logs", "20000"])
            .status
            .success()
    );
    let server = Server::start(&database.url, &[], &[]);
    let copy = file_of(&database).with_file_name("copy.db");
    let login = r#"{"query":"mutation { login(input: {username: \"admin\", password: \"wrong\"}) { expiresAt } }"}"#;
    let mut backup = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    backup.args(["db", "backup", "--json"]).arg(&copy).env("DATABASE_URL", &database.url);
    let writer = Db::connect(&database.url, Settings::default()).await.expect("connects");
    let mut backup = backup.stdout(std::process::Stdio::piped()).spawn().expect("starts");
    // Each failed login is a write; so is each of these transactions. They go on until the backup is done.
    let mut transactions = 0;
    while backup.try_wait().expect("asks").is_none() {
        assert!(server.post(login).contains("errors"));
        drop(writer.begin().await.expect("nobody keeps the database locked"));
        transactions += 1;
    }
    let output = backup.wait_with_output().expect("ends");
    assert!(output.status.success() && transactions > 0, "{transactions} writes: {}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["ok"], &report["error"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(report["bytes"], std::fs::metadata(&copy).expect("the copy").len());
    assert_eq!(mode(&copy), 0o600);
    writer.close().await;
    server.stop();
    // The folder holds the database and the copy, nothing of the making.
    let left = std::fs::read_dir(copy.parent().expect("a folder")).expect("reads");
    let left = left
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| !name.to_string_lossy().starts_with("test.db"));
    assert_eq!(left.collect::<Vec<_>>(), ["copy.db"]);

    let url = format!("sqlite:{}", copy.display());
    let checked = run(&url, &["db", "check"]);
    assert!(checked.status.success() && text(&checked).contains("ALL TESTS PASSED"), "{}", text(&checked));
    let restored = Server::start(&url, &[], &[]);
    let login = login.replace("wrong", "admin").replace("expiresAt", "user { username }");
    assert!(restored.post(&login).contains(r#""username":"admin""#));
    restored.stop();
    assert_eq!(mode(&copy), 0o600);
    database.remove().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_when_it_fails() {
    let database = Database::migrated(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("there.db");
    std::fs::write(&file, "something else").expect("writes");
    std::os::unix::fs::symlink("nowhere", folder.path().join("link.db")).expect("links");
    for name in ["there.db", "link.db"] {
        let refused = run(&database.url, &["db", "backup", folder.path().join(name).to_str().expect("UTF-8")]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused).contains("exists, and a backup overwrites no file"), "{}", text(&refused));
    }
    assert_eq!(std::fs::read_to_string(&file).expect("reads"), "something else");
    let missing = folder.path().join("missing/x.db").display().to_string();
    let refused = text(&run(&database.url, &["db", "backup", &missing]));
    assert!(refused.contains(&format!("cannot write the backup {missing}")), "{refused}");
    let report = run(&database.url, &["db", "backup", &missing, "--json"]);
    assert_eq!(report.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&report.stdout).contains(r#""ok":false"#), "{}", text(&report));
    assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 2);
    database.remove().await;
}

#[tokio::test]
async fn a_backup_of_postgres_names_the_command_for_it() {
    let database = Database::migrated(Backend::Postgres).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.dump").display().to_string();
    let refused = run(&database.url, &["db", "backup", &file]);
    assert_eq!(refused.status.code(), Some(1));
    let command = format!("(umask 077; pg_dump --format=custom --file='{file}' \"$DATABASE_URL\")");
    assert!(text(&refused).contains(&command), "{}", text(&refused));
    database.remove().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_start_closes_database_files_to_other_users_and_says_so_once() {
    let database = Database::empty(Backend::Sqlite).await;
    assert!(run(&database.url, &["db", "init"]).status.success());
    let file = file_of(&database);
    let backup = file.with_file_name("test.db.bak");
    std::fs::copy(&file, &backup).expect("copies");
    set_mode(&file, 0o644);
    set_mode(&backup, 0o640);
    let server = Server::start(&database.url, &[], &[]);
    let told = |log: &str, sentence: &str| log.lines().filter(|line| line.contains(sentence)).count();
    // SQLite gives its side files the mode of the database.
    assert!(told(&server.log, "changed its mode to 0600") >= 1, "{}", server.log);
    assert_eq!(told(&server.log, "chmod 600"), 1, "{}", server.log);
    assert!(server.log.contains("0644") && server.log.contains("0640"), "{}", server.log);
    for end in ["", "-wal", "-shm"] {
        assert_eq!(mode(format!("{}{end}", file.display()).as_ref()), 0o600, "{end}");
    }
    server.stop();
    set_mode(&backup, 0o600);
    let server = Server::start(&database.url, &[], &[]);
    assert!(!server.log.contains("other users"), "{}", server.log);
    server.stop();
    database.remove().await;
}
