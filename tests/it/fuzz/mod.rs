//! Random input against the running binary, one target for each parser that a client reaches. Whatever is sent, the
//! process lives on, memory stays bounded, and every error has a code that is not `INTERNAL`.
//!
//! Each target builds a request from random bytes (crate `arbitrary`). By default it runs a fixed number of inputs from a
//! fixed seed, so a failure repeats. `make fuzz` sets `FUZZ_SECONDS`: then each target runs for so many
//! seconds from a new seed. A failure prints the seed and the request; `FUZZ_SEED` runs it again.

mod connection;
mod corpus;
mod generate;
mod targets;

use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use serde_json::{Value, json};

use self::{
    connection::Connection,
    targets::{Known, Target},
};
use crate::support::{Backend, Database, Server};

/// Random bytes that one input is built from.
const BYTES: usize = 4_096;
/// Inputs per target when no time is given.
const RUNS: u32 = 500;
const SEED: u64 = 0x6775_6172_6469_616e;
/// By how much one target may raise the server's peak memory, in KiB.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 96 * 1024;

/// The codes that a refusal may have.
const REFUSALS: &[&str] = &[
    "BAD_USER_INPUT",
    "CONFLICT",
    "FORBIDDEN",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "NOT_FOUND",
    "PERSISTED_QUERY_NOT_FOUND",
    "QUERY_TOO_COMPLEX",
    "RATE_LIMITED",
    "UNAUTHENTICATED",
];

/// How many inputs a target gets.
enum Limit {
    Runs(u32),
    Until(Instant),
}

impl Limit {
    fn is_reached(&self, runs: u32) -> bool {
        match self {
            Self::Runs(most) => runs >= *most,
            Self::Until(end) => Instant::now() >= *end,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the command that fuzzes speaks to the tests by these variables")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// Runs a target; how many of its requests were answered without an error.
async fn fuzz(backend: Backend, target: Target) -> u32 {
    let database = Database::migrated(backend).await;
    let server = Server::start(&database.url, &[], &[]);
    let mut connection = Connection::open(server.port);
    let known = learn(&mut connection);

    let seconds = setting("FUZZ_SECONDS");
    let limit = seconds.map_or(Limit::Runs(RUNS), |n| Limit::Until(Instant::now() + Duration::from_secs(n)));
    let seed = setting("FUZZ_SEED").unwrap_or_else(|| if seconds.is_some() { fastrand::u64(..) } else { SEED });
    let mut random = fastrand::Rng::with_seed(seed);
    #[cfg(target_os = "linux")]
    let before = server.peak_memory();
    let (mut runs, mut answered, mut refused) = (0, 0, 0);
    while !limit.is_reached(runs) {
        let mut bytes = vec![0; BYTES];
        random.fill(&mut bytes);
        runs += 1;
        let Ok(request) = target(&mut Unstructured::new(&bytes), &known) else { continue };
        let context = || format!("seed {seed}, input {runs}: {}", String::from_utf8_lossy(&request).escape_debug());
        let reply = connection.send(&request).unwrap_or_else(|error| panic!("no answer ({error}) to {}", context()));
        match check(&reply) {
            Ok(true) => answered += 1,
            Ok(false) => refused += 1,
            Err(problem) => panic!("{problem}: {} {} to {}", reply.status, reply.text(), context()),
        }
    }
    println!("seed {seed}: {runs} inputs, {answered} answered, {refused} refused");
    assert!(answered + refused > 0, "the target builds no request");

    #[cfg(target_os = "linux")]
    {
        // Linux counts it in parts, so it may seem to fall.
        let grown = server.peak_memory().saturating_sub(before);
        assert!(grown < MEMORY, "seed {seed}: the peak of memory grew by {grown} KiB");
    }
    let answer = Connection::open(server.port).send(&targets::post(&[], br#"{"query":"{ __typename }"}"#));
    assert_eq!(answer.expect("the server lives").text(), r#"{"data":{"__typename":"Query"}}"#);
    server.stop();
    database.remove().await;
    answered
}

/// Whether it was answered (true) or refused (false), or what is wrong with the reply.
fn check(reply: &connection::Reply) -> Result<bool, String> {
    if reply.status >= 500 {
        return Err("a server error".to_owned());
    }
    // What is not HTTP is answered by hyper, without a body; other pages than GraphQL are not JSON.
    let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else {
        return if reply.is_json() && !reply.body.is_empty() {
            Err("not JSON".to_owned())
        } else {
            Ok(reply.status < 400)
        };
    };
    let Some(errors) = body["errors"].as_array() else { return Ok(true) };
    for error in errors {
        match error["extensions"]["code"].as_str() {
            Some(code) if REFUSALS.contains(&code) => {}
            code => return Err(format!("code {code:?}")),
        }
    }
    Ok(false)
}

/// Logs the first admin in and reads the cursors of three lists.
fn learn(connection: &mut Connection) -> Known {
    let mut ask = |headers: &[(&str, &str)], query: &str| {
        let reply = connection.send(&targets::post(headers, json!({ "query": query }).to_string().as_bytes()));
        serde_json::from_slice::<Value>(&reply.expect("answers").body).expect("JSON")["data"].take()
    };
    let login = r#"mutation { login(input: {username: "admin", password: "admin"}) { accessToken } }"#;
    let token = ask(&[], login)["login"]["accessToken"].as_str().expect("a token").to_owned();
    let authorization = format!("Bearer {token}");
    let mut ask = |query: &str| ask(&[("Authorization", &authorization)], query);
    ask(r#"mutation { createSession(input: {title: "x"}) { session { id } } }"#);
    let page = "{ pageInfo { startCursor } }";
    let data = ask(&format!("{{ users {page} sessions {page} auditLogs {page} }}"));
    let cursor = |list| data[list]["pageInfo"]["startCursor"].as_str().expect("a cursor").to_owned();
    Known { cursors: ["users", "sessions", "auditLogs"].map(cursor).into(), token }
}

/// A test of each target on each of its databases: both where the input reaches the database.
macro_rules! targets {
    ($($name:ident on $($backend:ident)|+;)+) => {$(
        mod $name {
            $(
                #[tokio::test]
                async fn $backend() {
                    super::fuzz(super::backend(stringify!($backend)), super::targets::$name).await;
                }
            )+
        }
    )+};
}

fn backend(name: &str) -> Backend {
    if name == "postgres" { Backend::Postgres } else { Backend::Sqlite }
}

targets! {
    bodies on sqlite;
    documents on sqlite | postgres;
    variables on sqlite | postgres;
    filters on sqlite | postgres;
    cursors on sqlite | postgres;
    headers on sqlite;
    urls on sqlite;
}

#[tokio::test]
async fn a_mangled_token_is_refused_whatever_it_is() {
    assert_eq!(fuzz(Backend::Sqlite, targets::tokens).await, 0);
}
