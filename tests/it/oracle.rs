//! Execution by the specification: answers of the binary compared with those of graphql-js, the reference implementation.
//! Without Node.js it fails: a skipped comparison proves nothing.

use std::process::Command;

use crate::support::{Backend, Database, Server};

/// How many documents are generated; as many by every seed.
const DOCUMENTS: &str = "600";

#[tokio::test]
async fn answers_are_those_of_graphql_js() {
    let database = Database::empty(Backend::Sqlite).await;
    for sizes in [&[][..], &["--users", "7", "--sessions", "25", "--audit-logs", "30"]] {
        let seed = Command::new(env!("CARGO_BIN_EXE_guardianeye"))
            .args(["db", "seed", "--until", "2026-03-01T12:00:00Z"])
            .args(sizes)
            .env("DATABASE_URL", &database.url)
            .output()
            .expect("starts");
        assert!(seed.status.success(), "{}", String::from_utf8_lossy(&seed.stderr));
    }
    let limits = [
        ("GUARDIANEYE_MAX_COST", "100000000"),
        ("GUARDIANEYE_MAX_DEPTH", "50"),
        ("GUARDIANEYE_MAX_ALIASES", "1000"),
        ("GUARDIANEYE_MAX_ROOT_FIELDS", "1000"),
        ("GUARDIANEYE_MAX_SELECTIONS", "50000"),
    ];
    let server = Server::start(&database.url, &[], &limits);
    let url = format!("http://127.0.0.1:{}/graphql", server.port);
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/run.sh"))
        .args([&url, DOCUMENTS])
        .output()
        .expect("bash runs the script");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{text}");
    assert!(output.status.success(), "{text}");
    server.stop();
    database.remove().await;
}
