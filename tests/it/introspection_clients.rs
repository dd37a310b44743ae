//! What clients' tools ask for the schema is answered, and gives the schema that stands in `schema.graphql`.
//! Without Node.js it fails: a skipped comparison proves nothing.

use std::process::Command;

use crate::support::{Backend, Database, Server};

#[tokio::test]
async fn the_queries_of_tools_pass_and_give_the_schema_of_the_file() {
    let database = Database::empty(Backend::Sqlite).await;
    let server = Server::start(&database.url, &[], &[]);
    let url = format!("http://127.0.0.1:{}/graphql", server.port);
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/run.sh"))
        .args(["schema.mjs", &url])
        .output()
        .expect("bash runs the script");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{text}");
    assert!(output.status.success(), "{text}");
    server.stop();
    database.remove().await;
}
