//! What strangers send to bring a server down, against the program itself: each attack is refused in a moment, takes no
//! memory to speak of, and the server answers on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Backend, Database, Server, many};

/// Far above what a refusal takes on a busy machine, far below what the attacks take where they succeed.
const SOON: Duration = Duration::from_secs(1);
/// By how much all of the attacks together may raise the server's memory, in KiB.
#[cfg(target_os = "linux")]
const LITTLE: u64 = 96 * 1024;

#[tokio::test]
async fn no_document_brings_the_server_down() {
    let database = Database::migrated(Backend::Sqlite).await;
    // A large body, so that it is not its size alone that is refused.
    let server = Server::start(&database.url, &["--max-body-bytes", "4194304", "--introspection", "signed-in"], &[]);
    let answer = server.post(&json!({ "query": "{ __typename }" }).to_string());
    assert!(answer.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{answer}");
    #[cfg(target_os = "linux")]
    let before = server.peak_memory();

    for (attack, body, code) in attacks() {
        let started = Instant::now();
        let answer = server.post(&body);
        let took = started.elapsed();
        assert!(answer.contains(&format!(r#""code":"{code}""#)), "{attack}: {}", &answer[..answer.len().min(2_000)]);
        assert!(!answer.contains(r#""data""#), "{attack}");
        assert!(took < SOON, "{attack} took {took:?}");
        assert!(answer.len() < 20_000, "{attack} is answered with {} bytes", answer.len());
        println!("{attack:50} {took:>12.3?}");
    }

    #[cfg(target_os = "linux")]
    {
        // Linux counts it in parts, so it may seem to fall.
        let grown = server.peak_memory().saturating_sub(before);
        println!("the peak of memory grew by {grown} KiB from {before} KiB");
        assert!(grown < LITTLE, "the peak of memory grew by {grown} KiB");
    }
    let answer = server.post(&json!({ "query": "{ __typename }" }).to_string());
    assert!(answer.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{answer}");
    server.stop();
    database.remove().await;
}

/// What it is, the body, and the code it is refused with.
type Attack = (String, String, &'static str);

const TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";

fn attacks() -> Vec<Attack> {
    let documents = [nested(), fragments(), repeated(), too_much(), mistakes()].into_iter().flatten();
    let body = |(what, text, code): (String, String, _)| (what, json!({ "query": text }).to_string(), code);
    documents.map(body).chain(variables()).collect()
}

fn named<const N: usize>(documents: [(&str, String, &'static str); N]) -> Vec<Attack> {
    documents.into_iter().map(|(what, text, code)| (what.to_owned(), text, code)).collect()
}

fn nested() -> Vec<Attack> {
    let mut attacks = named([
        ("lists in variables' defaults", format!("query($a: Int = {}1", "[".repeat(4_000)), TOO_COMPLEX),
        ("types of variables", format!("query($a: {}", "[".repeat(4_000)), TOO_COMPLEX),
        (
            "depth by fields",
            format!("{{ me {{ {} id", "sessions { nodes { user { ".repeat(8)) + &"}".repeat(26),
            TOO_COMPLEX,
        ),
    ]);
    for length in [4_000, 1_000_000] {
        for (what, start, open) in [
            ("lists", "{a(b:", "["),
            ("objects", "{a(b:", "{a:"),
            ("lists in directive arguments", "{a @a(b:", "["),
            ("directive arguments in each other's way", "{a ", "@a(b:["),
            ("selections", "", "{a"),
            ("inline fragments", "", "{...on User"),
        ] {
            let text = format!("{start}{}", open.repeat(length / open.len()));
            attacks.push((format!("{length} bytes of nested {what}"), text, TOO_COMPLEX));
        }
    }
    attacks
}

fn fragments() -> Vec<Attack> {
    let linked = |count: usize, spread: &dyn Fn(usize) -> String| {
        let links = many(0..count, |n| format!("fragment F{} on User {{ {} }} ", n + 1, spread(n)));
        format!("{{ me {{ ...F{count} }} }} fragment F0 on User {{ id }} {links}")
    };
    let doubling = |count| linked(count, &|n| format!("...F{n} ...F{n}"));
    let chain = |count| linked(count, &|n| format!("...F{n}"));
    let circle = |count: usize| chain(count).replace("{ id }", &format!("{{ ...F{count} }}"));
    let through_fields = "{ me { ...F } } fragment F on User { sessions { nodes { user { ...F ...F } } } }";
    named([
        ("28 doubling fragments", doubling(28), TOO_COMPLEX),
        ("28 doubling fragments that nothing spreads", doubling(28).replace("{ ...F28 }", "{ id }"), TOO_COMPLEX),
        ("330 doubling fragments", doubling(330), TOO_COMPLEX),
        ("a chain of 400 fragments", chain(400), TOO_COMPLEX),
        ("a fragment in itself", circle(0), INVALID),
        ("28 fragments in a circle", circle(28), INVALID),
        ("400 fragments in a circle", circle(400), INVALID),
        ("a circle that nothing spreads", circle(2).replace("me { ...F2 }", "me { id }"), INVALID),
        ("a circle through fields", through_fields.to_owned(), INVALID),
    ])
}

fn repeated() -> Vec<Attack> {
    let login = r#"login(input: {username: "admin", password: "x"}) { expiresAt }"#;
    let in_fragments = format!("mutation {{ ...F ... {{ a: {login} }} }} fragment F on Mutation {{ {login} }}");
    named([
        (
            "100 aliases of login",
            format!("mutation {{ {} }}", many(0..100, |n| format!("a{n}: {login} "))),
            TOO_COMPLEX,
        ),
        ("2 aliases of login in fragments", in_fragments, TOO_COMPLEX),
        ("500 repeated fields at the root", format!("{{ {} }}", "me { id } ".repeat(500)), TOO_COMPLEX),
        ("500 repeated fields", format!("{{ me {{ {} }} }}", "id ".repeat(500)), TOO_COMPLEX),
        ("500 aliases", format!("{{ me {{ {} }} }}", many(0..500, |n| format!("a{n}: id "))), TOO_COMPLEX),
        ("10,000 directives", format!("{{ __typename {} }}", "@a ".repeat(10_000)), TOO_COMPLEX),
        ("1,500 directives", format!("{{ __typename {} }}", "@a ".repeat(1_500)), TOO_COMPLEX),
        ("1 MB of tokens", format!("{{ {} }}", "a ".repeat(500_000)), TOO_COMPLEX),
        ("1 MB of punctuation", "!".repeat(1_000_000), TOO_COMPLEX),
        ("900 operations", format!("{{ a }} {}", many(0..900, |n| format!("query Q{n} {{a}} "))), TOO_COMPLEX),
        ("a number without end", format!("{{ users(first: {}) {{ a }} }}", "9".repeat(1_000_000)), TOO_COMPLEX),
        ("a string without end", format!("{{ user(id: \"{}", "x".repeat(100_000)), "GRAPHQL_PARSE_FAILED"),
    ])
}

fn too_much() -> Vec<Attack> {
    let introspection = |inner: &str| format!("{{ __schema {{ types {{ {inner} }} }} }}");
    let fields = |depth: usize| format!("{}name{}", "fields { type { ".repeat(depth), " } }".repeat(depth));
    let wide = many(0..7, |n| format!("a{n}: type {{ {} }} ", fields(2)));
    let wide = many(0..7, |n| format!("a{n}: fields {{ {wide} }} "));
    let pages = "{ users(first: 100) { nodes { sessions(first: 100) { nodes { user { auditLogs(first: 100) { nodes { id
        } } } } } } } }";
    named([
        ("100 x 100 x 100", pages.to_owned(), TOO_COMPLEX),
        ("introspection in circles", introspection(&fields(6)), TOO_COMPLEX),
        ("wide introspection in circles", introspection(&wide), TOO_COMPLEX),
        ("introspection by a stranger", introspection("name"), "UNAUTHENTICATED"),
    ])
}

/// Documents that are let through to validation, and have as much wrong with them as fits.
fn mistakes() -> Vec<Attack> {
    let conflicts = many(0..900, |n| format!("a:b{n} "));
    let conflicts = format!("{{ me {{ {}{conflicts}{} }} }}", "... { ".repeat(25), "} ".repeat(25));
    let long = "x".repeat(200_000);
    let undefined = format!(
        "fragment F on Query {{ user(id: ${long}) {{ id }} }} {}",
        many(0..300, |n| format!("query Q{n} {{ ...F }} "))
    );
    named([
        ("conflicts in nested fragments", conflicts, INVALID),
        ("1,900 unknown fields", format!("{{ me {{ {} }} }}", many(0..1_900, |n| format!("b{n} "))), INVALID),
        ("1,200 unknown arguments", format!("{{ me({}) {{ id }} }}", many(0..1_200, |n| format!("b{n}: 1 "))), INVALID),
        ("an undefined variable with a name of 200 kB in 300 operations", undefined, TOO_COMPLEX),
    ])
}

fn variables() -> Vec<Attack> {
    let document = "query($first: Int!) { users(first: $first) { nodes { nothing } } }";
    let bad = "BAD_USER_INPUT";
    let values = [
        ("lists without end", "[".repeat(100_000), bad),
        ("objects without end", r#"{"a":"#.repeat(100_000), bad),
        ("10,000 lists in each other", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), bad),
        ("a number too large for a float", "1e999".to_owned(), bad),
        ("an integer of 1,000 digits", "9".repeat(1_000), bad),
        ("50 lists in each other", format!("{}{}", "[".repeat(50), "]".repeat(50)), INVALID),
        ("100 lists in each other", format!("{}{}", "[".repeat(100), "]".repeat(100)), bad),
        ("a large float", "1e308".to_owned(), INVALID),
        ("an integer of 20 digits", "9".repeat(20), bad),
        ("a list of 100,000", Value::from(vec![1; 100_000]).to_string(), INVALID),
        ("null", "null".to_owned(), INVALID),
    ];
    let body = |value: &str| format!(r#"{{"query":"{document}","variables":{{"first":{value}}}}}"#);
    values.into_iter().map(|(what, value, code)| (format!("a variable: {what}"), body(&value), code)).collect()
}
