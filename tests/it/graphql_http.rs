//! The audits of the GraphQL over HTTP specification, by the npm package graphql-http, against the binary.
//! Without Node.js they fail: a skipped audit proves nothing.

use std::process::Command;

use crate::support::{Backend, Database, Server};

#[tokio::test]
async fn all_audits_of_graphql_http_pass() {
    let database = Database::empty(Backend::Sqlite).await;
    let server = Server::start(&database.url, &[], &[]);
    let url = format!("http://127.0.0.1:{}/graphql", server.port);
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/graphql_http/run.sh"))
        .arg(url)
        .output()
        .expect("bash runs the script");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{text}");
    assert!(output.status.success(), "{text}");
    server.stop();
    database.remove().await;
}
