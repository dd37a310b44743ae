//! Commands that only read, or that change a database which has to be there, make no database of their own.

use std::process::{Command, Output, Stdio};

use guardianeye::db::{Db, Settings};

use crate::support::{TestApp, on_both};

/// All commands but those that prepare a database: `serve`, `db init` and `db seed`.
const COMMANDS: [&[&str]; 8] = [
    &["keys", "list"],
    &["keys", "list", "--json"],
    &["keys", "rotate"],
    &["db", "check"],
    &["db", "check", "--json"],
    &["db", "search-index", "--json"],
    &["users", "unlock", "somebody"],
    &["users", "reset-password", "somebody"],
];

fn run_in(folder: &std::path::Path, args: &[&str], url: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command.args(args).current_dir(folder).env_remove("DATABASE_URL").stdin(Stdio::null());
    command.envs(url.map(|url| ("DATABASE_URL", url))).output().expect("runs")
}

#[test]
fn a_reading_command_makes_no_sqlite_file_and_says_what_does() {
    for args in COMMANDS {
        for (url, file) in [(None, "data/guardianeye.db"), (Some("sqlite:deep/er/x.db?mode=rwc"), "deep/er/x.db")] {
            let folder = tempfile::tempdir().expect("a folder");
            let output = run_in(folder.path(), args, url);
            let text =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
            let path = folder.path().canonicalize().expect("a path").join(file).display().to_string();
            for word in ["there is no database", &path, "`guardianeye db init`", "`guardianeye serve`"] {
                assert!(text.contains(word), "{args:?}: {word}: {text}");
            }
            assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 0, "{args:?}");
        }
    }
}

#[test]
fn the_schema_and_a_dry_run_need_no_database_and_make_none() {
    for (args, word) in
        [(&["schema"][..], "type Query"), (&["db", "init", "--dry-run"], "Would create the database file")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let output = run_in(folder.path(), args, None);
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(word), "{args:?}: {output:?}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 0, "{args:?}");
    }
}

on_both!(a_reading_command_reads_a_database_that_is_there);

async fn a_reading_command_reads_a_database_that_is_there(app: &TestApp) {
    let db = Db::connect(&app.database.url, Settings::default()).await.expect("connects without making it");
    assert!(db.is_migrated().await.expect("reads"));
    db.close().await;
}
