//! JSON that is made to overflow a stack, against the program itself: each is answered with a code, and the server lives.
//!
//! `serde_json` takes the keys `$serde_json::private::RawValue` and `$serde_json::private::Number` for its own when it reads
//! a value of any type: what follows is read by a further parser, which counts its depth from zero.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Backend, Database, Server};

const KEYS: [&str; 2] = ["$serde_json::private::RawValue", "$serde_json::private::Number"];
/// How many parsers are opened within each other. The largest text is as large as a body may be.
const LEVELS: [usize; 6] = [1, 2, 8, 20, 60, 145];
const BODY_LIMIT: usize = 256 * 1024;

#[tokio::test]
async fn nested_private_keys_are_refused_in_every_field_on_sqlite() {
    attack(Backend::Sqlite).await;
}

#[tokio::test]
async fn nested_private_keys_are_refused_in_every_field_on_postgres() {
    attack(Backend::Postgres).await;
}

async fn attack(backend: Backend) {
    let database = Database::migrated(backend).await;
    let server = Server::start(&database.url, &[], &[]);
    let token = admin(&server);
    let session = session(&server, &token);
    let mut largest = 0;
    for key in KEYS {
        for levels in LEVELS {
            let value = nested(key, levels, 120);
            for (place, body) in bodies(&session, &value) {
                largest = largest.max(body.len());
                for token in ["", token.as_str()] {
                    refused(&format!("{levels} levels of {key} in {place}"), &server.post_as(token, &body));
                }
            }
            for (place, url) in urls(&value) {
                // What is too long for a URL is refused as that, without a body.
                let answer = server.get(&url);
                if url.len() < 16_000 {
                    refused(&format!("{levels} levels of {key} in {place} of a URL"), &answer);
                }
            }
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"a","x":{value}}}"#));
            let answer = server.post_as(&format!("{header}.e30.e30"), r#"{"query":"{ __typename }"}"#);
            if header.len() < 16_000 {
                refused(&format!("{levels} levels of {key} in a token"), &answer);
            }
            lives(&server);
        }
    }
    assert!((BODY_LIMIT * 9 / 10..BODY_LIMIT).contains(&largest), "the largest body has {largest} bytes");
    server.stop();
    database.remove().await;
}

/// The key, its value being lists with the same key in them as text, and so on. A quotation mark within `n` texts takes
/// five bytes for each, because only its one backslash has to be escaped again.
fn nested(key: &str, levels: usize, lists: usize) -> String {
    let mut text = "0".to_owned();
    for _ in 0..levels {
        let inner = format!("{}{text}{}", "[".repeat(lists), "]".repeat(lists));
        let escaped = inner.replace('\\', "\\u005c").replace('"', "\\u0022");
        text = format!(r#"{{"{key}":"{escaped}"}}"#);
    }
    text
}

/// A request for each field of a body, and of a document, that takes JSON.
fn bodies(session: &str, value: &str) -> Vec<(&'static str, String)> {
    let typename = r#""query":"{ __typename }""#;
    let document = |query: &str| format!(r#"{{"query":{},"variables":{{"a":{value}}}}}"#, json!(query));
    let change = |field| {
        document(&format!(
            r#"mutation($a: JSON) {{ updateSession(input: {{id: "{session}", {field}: $a}}) {{ session {{ id }} }} }}"#
        ))
    };
    let record = "mutation($a: JSON) { recordAuditLog(input: {action: QUERY_AGENT, details: $a}) { auditLog { id } } }";
    let inline = "mutation($a: JSON) { createSession(input: {context: {a: [$a]}}) { session { id } } }";
    vec![
        ("the body", value.to_owned()),
        ("variables", format!(r#"{{{typename},"variables":{value}}}"#)),
        ("a variable", document("query($a: JSON) { __typename }")),
        ("extensions", format!(r#"{{{typename},"extensions":{value}}}"#)),
        ("operationName", format!(r#"{{{typename},"operationName":{value}}}"#)),
        ("query", format!(r#"{{"query":{value}}}"#)),
        ("a field of no meaning", format!(r#"{{{typename},"more":{value}}}"#)),
        ("context", change("context")),
        ("contextPatch", change("contextPatch")),
        ("details", document(record)),
        ("contains", document("query($a: JSON) { auditLogs(filter: {details: {contains: $a}}) { nodes { id } } }")),
        ("a variable in a literal", document(inline)),
    ]
}

fn urls(value: &str) -> Vec<(&'static str, String)> {
    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    ["variables", "extensions", "operationName"]
        .map(|field| (field, format!("/graphql?query=%7B__typename%7D&{field}={encoded}")))
        .to_vec()
}

#[track_caller]
fn refused(attack: &str, answer: &str) {
    let start = &answer[..answer.len().min(1_000)];
    assert!(
        answer.contains(r#""code":"BAD_USER_INPUT""#) || answer.contains(r#""code":"UNAUTHENTICATED""#),
        "{attack}: {start}"
    );
    assert!(!answer.contains(r#""data""#), "{attack}: {start}");
    assert!(answer.len() < 4_000, "{attack} is answered with {} bytes", answer.len());
}

#[track_caller]
fn lives(server: &Server) {
    let answer = server.post(r#"{"query":"{ __typename }"}"#);
    assert!(answer.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{answer}");
}

/// The access token of the first admin.
fn admin(server: &Server) -> String {
    let login = r#"mutation { login(input: {username: "admin", password: "admin"}) { accessToken } }"#;
    text(&server.post(&json!({ "query": login }).to_string()), "/data/login/accessToken")
}

fn session(server: &Server, token: &str) -> String {
    let create = "mutation { createSession(input: {context: {a: 1}}) { session { id } } }";
    text(&server.post_as(token, &json!({ "query": create }).to_string()), "/data/createSession/session/id")
}

fn text(answer: &str, pointer: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect(body);
    body.pointer(pointer).and_then(Value::as_str).expect(answer).to_owned()
}
