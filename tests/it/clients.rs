//! Clients' own compilers over `schema.graphql`: relay-compiler with pages and fragments that are fetched again, and
//! graphql-codegen. Without Node.js they fail: a skipped compilation proves nothing.

use std::process::{Command, Output};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");

#[test]
fn relay_and_codegen_take_the_schema_and_would_tell_what_does_not_fit() {
    let output = compile(SCHEMA);
    let text = text(&output);
    println!("{text}");
    assert!(output.status.success(), "{text}");

    // A connection without its page info is none to Relay.
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("schema.graphql");
    let schema = std::fs::read_to_string(SCHEMA).expect("the schema");
    std::fs::write(&broken, schema.replace("pageInfo: PageInfo!", "page: PageInfo!")).expect("writes");
    assert!(!compile(broken.to_str().expect("a path")).status.success());
}

fn compile(schema: &str) -> Output {
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/run.sh"))
        .arg(schema)
        .output()
        .expect("bash runs the script")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
