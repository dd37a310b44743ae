//! Random input at every parser: documents, bodies, filters and tokens. Nothing panics, nothing is INTERNAL, everything that
//! is refused has a code. The seeds are fixed, so what fails once fails again.

use axum::{body::Body, http::Request};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::support::{Backend, Caller, Reply, TestApp, on_both};

const DOCUMENTS: &[&str] = &[
    "query Q($first: Int = 5, $f: UserFilter) { users(first: $first, filter: $f) { nodes { id ...U } totalCount } } fragment U on User { username @skip(if: false) }",
    "{ auditLogs(filter: {action: {in: [LOGIN, LOGOUT]}, timestamp: {gte: \"2026-03-01T12:00:00Z\"}}, orderBy: {field: TIMESTAMP, direction: ASC}) { edges { cursor node { details } } } }",
    "{ a: node(id: \"0195\\u00e9\") { __typename ... on Session { context user { email } } } nodes(ids: []) { id } }",
    "mutation { createSession(input: {title: \"\"\"block \\\"\"\" text\"\"\", context: {a: [1, 2.5e3, null, true]}}) { session { id } } }",
    "mutation M($p: String!) { login(input: {username: \"vera\", password: $p}) { expiresAt } } # a comment",
    "{ __schema { types { name fields { name } } } me { sessions(last: 1, before: \"x\") { pageInfo { endCursor } } } }",
];
const TOKENS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "=",
    "!",
    "|",
    "&",
    "$",
    "@",
    "...",
    "\"",
    "\"\"\"",
    "\\",
    "\\u",
    "\\u{110000}",
    "\\ud800",
    "#",
    ",",
    " ",
    "\n",
    "\r",
    "\t",
    "\u{feff}",
    "\u{0}",
    "\u{202e}",
    "🛡",
    "é",
    "on",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "null",
    "true",
    "-",
    "0",
    "1e999",
    "99999999999999999999",
    "1.",
    "users",
    "me",
    "id",
    "first",
    "filter",
    "__typename",
    "login",
    "input",
];
/// What the code of a refusal may be; INTERNAL and TIMEOUT are none.
const REFUSALS: &[&str] = &[
    "BAD_USER_INPUT",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "QUERY_TOO_COMPLEX",
    "UNAUTHENTICATED",
    "RATE_LIMITED",
    "CONFLICT",
    "NOT_FOUND",
    "FORBIDDEN",
    "PERSISTED_QUERY_NOT_FOUND",
];

on_both! {
    async fn random_filters_are_answered_or_refused_with_a_code(app) {
        let mut rng = Rng::with_seed(0x0f17_e125);
        for (list, filter, order) in [("users", "UserFilter", "UserOrder"), ("sessions", "SessionFilter", "SessionOrder"), ("auditLogs", "AuditLogFilter", "AuditLogOrder")] {
            let query = format!("query($f: {filter}, $o: {order}, $a: String, $n: Int) {{ {list}(filter: $f, orderBy: $o, after: $a, first: $n) {{ totalCount nodes {{ id }} }} }}");
            let (mut answered, mut refused) = (0, 0);
            for _ in 0..600 {
                let mut variables = json!({ "f": filter_of(&mut rng, 4) });
                if rng.u8(..8) == 0 {
                    variables["o"] = json!({ "field": any(&mut rng, 1), "direction": any(&mut rng, 1) });
                    variables["a"] = any(&mut rng, 1);
                    variables["n"] = any(&mut rng, 1);
                }
                let reply = app.admin().gql(&query, variables.clone()).await;
                check(&reply, &variables.to_string());
                if reply.codes().is_empty() { answered += 1 } else { refused += 1 }
            }
            assert!(answered > 20 && refused > 20, "{list}: {answered} answered, {refused} refused");
        }
    }
}

#[tokio::test]
async fn random_documents_are_answered_or_refused_with_a_code() {
    TestApp::run(Backend::Sqlite, async |app: &TestApp| {
        let mut rng = Rng::with_seed(0xd0c0_0e17);
        for _ in 0..3_000 {
            let document = mangled(&mut rng, DOCUMENTS, TOKENS);
            let reply = app.admin().gql(&document, json!({ "p": "x" })).await;
            check(&reply, &document);
        }
    })
    .await;
}

#[tokio::test]
async fn random_bodies_are_answered_or_refused_with_a_code() {
    const BODIES: &[&str] = &[
        r#"{"query": "{ me { id } }", "variables": {"a": [1, -2.5e3, "\u0041"]}, "operationName": null, "extensions": {}}"#,
        r#"{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}}"#,
        r#"[{"query": "{ me { id } }"}]"#,
    ];
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        "null",
        "1e999",
        "-",
        "é",
        "\u{0}",
        "query",
        "variables",
    ];
    TestApp::run(Backend::Sqlite, async |app: &TestApp| {
        let mut rng = Rng::with_seed(0xb0d7);
        for _ in 0..3_000 {
            let mut body = mangled(&mut rng, BODIES, PIECES).into_bytes();
            if rng.u8(..10) == 0 && !body.is_empty() {
                let at = rng.usize(..body.len());
                body[at] = rng.u8(..);
            }
            let request = Request::post("/graphql").header("content-type", "application/json");
            let reply = app.admin().send(request.body(Body::from(body.clone())).expect("a request")).await;
            check(&reply, &String::from_utf8_lossy(&body));
        }
    })
    .await;
}

#[tokio::test]
async fn a_mangled_token_is_refused_whatever_it_is() {
    const PIECES: &[&str] = &["", ".", "..", "a", "A", "-", "_", "=", "~", "gey_", "ger_", "eyJ", "bm9uZQ", "e30", "0"];
    TestApp::run(Backend::Sqlite, async |app: &TestApp| {
        let (_, script) = app.api_token(app.viewer().id(), &[guardianeye::model::Scope::Read]).await;
        let tokens = [app.viewer().token().to_owned(), script.token().to_owned()];
        let tokens = [tokens[0].as_str(), &tokens[1]];
        for token in tokens {
            Caller::with_token(app, token.to_owned()).gql("{ me { id } }", json!({})).await.data();
        }
        let mut rng = Rng::with_seed(0x70_7e17);
        for _ in 0..3_000 {
            let token = mangled(&mut rng, &tokens, PIECES);
            if tokens.contains(&token.as_str()) {
                continue;
            }
            let reply = Caller::with_token(app, token.clone()).gql("{ me { id } }", json!({})).await;
            assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"), "{token}");
            let refresh = "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { expiresAt } }";
            if rng.u8(..4) == 0 {
                assert_eq!(
                    app.anonymous().gql(refresh, json!({ "token": token })).await.code(),
                    "UNAUTHENTICATED",
                    "{token}"
                );
            }
        }
    })
    .await;
}

fn check(reply: &Reply, sent: &str) {
    assert!(reply.status.as_u16() < 500, "{sent}: {} {:#}", reply.status, reply.body);
    for code in reply.codes() {
        assert!(REFUSALS.contains(&code), "{sent}: {:#}", reply.body);
    }
    assert!(reply.body.get("data").is_some() || !reply.codes().is_empty(), "{sent}: {:#}", reply.body);
}

/// One of the texts with one to six pieces of it dropped, doubled, moved or replaced.
fn mangled(rng: &mut Rng, texts: &[&str], pieces: &[&str]) -> String {
    let mut text: Vec<char> = texts[rng.usize(..texts.len())].chars().collect();
    for _ in 0..rng.usize(1..=6) {
        if text.is_empty() {
            break;
        }
        let from = rng.usize(..text.len());
        let to = (from + rng.usize(..12)).min(text.len());
        match rng.u8(..5) {
            0 => drop(text.drain(from..to)),
            1 => {
                let copy: Vec<_> = text[from..to].to_vec();
                text.splice(from..from, copy);
            }
            2 => {
                let moved: Vec<_> = text.drain(from..to).collect();
                let at = rng.usize(..=text.len());
                text.splice(at..at, moved);
            }
            3 => drop(text.splice(from..from, pieces[rng.usize(..pieces.len())].chars())),
            _ => drop(text.splice(from..to, pieces[rng.usize(..pieces.len())].chars())),
        }
    }
    text.into_iter().collect()
}

/// Mostly like a filter, with something wrong here and there.
fn filter_of(rng: &mut Rng, depth: usize) -> Value {
    const FIELDS: &[&str] = &[
        "id",
        "user",
        "username",
        "email",
        "role",
        "isActive",
        "createdAt",
        "lastLogin",
        "title",
        "threadId",
        "context",
        "action",
        "details",
        "description",
        "ipAddress",
        "userAgent",
        "success",
        "timestamp",
        "endedAt",
        "fullName",
    ];
    const OPERATORS: &[&str] =
        &["eq", "in", "notIn", "contains", "startsWith", "gt", "gte", "lt", "lte", "isNull", "cidr", "nothing"];
    let mut filter = Map::new();
    for _ in 0..rng.usize(..3) {
        let (name, value) = match rng.u8(..8) {
            0 if depth > 0 => ("and", Value::Array((0..rng.usize(..3)).map(|_| filter_of(rng, depth - 1)).collect())),
            1 if depth > 0 => ("or", Value::Array((0..rng.usize(..3)).map(|_| filter_of(rng, depth - 1)).collect())),
            2 if depth > 0 => ("not", filter_of(rng, depth - 1)),
            3 => (FIELDS[rng.usize(..FIELDS.len())], any(rng, 2)),
            _ => {
                let operator = OPERATORS[rng.usize(..OPERATORS.len())];
                let value = if matches!(operator, "in" | "notIn") && rng.bool() {
                    json!([any(rng, 0), any(rng, 0)])
                } else {
                    any(rng, 0)
                };
                (FIELDS[rng.usize(..FIELDS.len())], json!({ operator: value }))
            }
        };
        filter.insert(name.to_owned(), value);
    }
    Value::Object(filter)
}

/// A JSON value that means something somewhere, or nothing.
fn any(rng: &mut Rng, depth: usize) -> Value {
    const TEXTS: &[&str] = &[
        "",
        "a",
        "%",
        "_",
        "\\",
        "'",
        "\"; drop table users; --",
        "\u{202e}",
        "🛡",
        "LOGIN",
        "ADMIN",
        "ASC",
        "CREATED_AT",
        "USERNAME",
        "2026-03-01T12:00:00Z",
        "-271821-04-20T00:00:00Z",
        "2026-02-30",
        "10.0.0.0/8",
        "::/0",
        "10.0.0.0/33",
        "fe80::1%eth0",
        "00000000-0000-0000-0000-000000000000",
        "$.a[0]",
        "{\"a\": 1}",
        "\u{0}",
        "AVVVVVVVVVVVVVVVVVVVVVVVVA",
    ];
    match rng.u8(..if depth > 0 { 9 } else { 7 }) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.i64(..).into(),
        3 => (rng.f64() * 1e12 - 5e11).into(),
        7 => Value::Array((0..rng.usize(..4)).map(|_| any(rng, depth - 1)).collect()),
        8 => Value::Object(
            (0..rng.usize(..3)).map(|_| (TEXTS[rng.usize(..TEXTS.len())].to_owned(), any(rng, depth - 1))).collect(),
        ),
        _ => TEXTS[rng.usize(..TEXTS.len())].into(),
    }
}
