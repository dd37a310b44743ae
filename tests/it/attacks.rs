//! What strangers send to bring a server down, against the program itself: each attack is refused in a moment, takes no
//! memory to speak of, and the server answers on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Backend, Database, Server};

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
        let grown = server.peak_memory() - before;
        println!("the peak of memory grew by {grown} KiB from {before} KiB");
        assert!(grown < LITTLE, "the peak of memory grew by {grown} KiB");
    }
    let answer = server.post(&json!({ "query": "{ __typename }" }).to_string());
    assert!(answer.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{answer}");
    server.stop();
    database.remove().await;
}

/// What it is, the body, and the code it is refused with.
fn attacks() -> Vec<(String, String, &'static str)> {
    let login = r#"login(input: {username: "admin", password: "x"}) { expiresAt }"#;
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    let doubling = |count: usize| {
        let one = |n: usize| format!("fragment F{} on User {{ ...F{n} ...F{n} }} ", n + 1);
        format!("{{ me {{ ...F{count} }} }} fragment F0 on User {{ id }} {}", many(count, &one))
    };
    let unused_doubling = doubling(28).replace("...F28", "id");
    let chain = |count: usize| {
        let one = |n: usize| format!("fragment F{} on User {{ ...F{n} }} ", n + 1);
        format!("{{ me {{ ...F{count} }} }} fragment F0 on User {{ id }} {}", many(count, &one))
    };
    let cycle = |count: usize| chain(count).replace("{ id }", &format!("{{ ...F{count} }}"));
    let introspection = |inner: &str| format!("{{ __schema {{ types {{ {inner} }} }} }}");
    let fields = |depth: usize| format!("{}name{}", "fields { type { ".repeat(depth), " } }".repeat(depth));

    let mut attacks: Vec<(String, String, &'static str)> = Vec::new();
    let mut document = |what: &str, text: String, code: &'static str| {
        attacks.push((what.to_owned(), json!({ "query": text }).to_string(), code));
    };
    for length in [4_000, 1_000_000] {
        for (what, open) in [
            ("lists", "["),
            ("objects", "{a:"),
            ("lists in directive arguments", "@a(b:["),
            ("selections", "{a"),
            ("inline fragments", "{...on User"),
        ] {
            let start = match what {
                "lists" | "objects" => "{a(b:",
                "lists in directive arguments" => "{a @a(b:",
                _ => "",
            };
            let text = format!("{start}{}", open.repeat(length / open.len()));
            document(&format!("{length} bytes of nested {what}"), text, "QUERY_TOO_COMPLEX");
        }
    }
    document(
        "directive arguments in variables' defaults",
        format!("query($a: Int = {}1", "[".repeat(4_000)),
        "QUERY_TOO_COMPLEX",
    );
    document("types of variables", format!("query($a: {}", "[".repeat(4_000)), "QUERY_TOO_COMPLEX");
    document("28 doubling fragments", doubling(28), "QUERY_TOO_COMPLEX");
    document("28 doubling fragments that nothing spreads", unused_doubling, "QUERY_TOO_COMPLEX");
    document("330 doubling fragments", doubling(330), "QUERY_TOO_COMPLEX");
    document("a chain of 400 fragments", chain(400), "QUERY_TOO_COMPLEX");
    document("a fragment in itself", cycle(0), "GRAPHQL_VALIDATION_FAILED");
    document("28 fragments in a circle", cycle(28), "GRAPHQL_VALIDATION_FAILED");
    document("400 fragments in a circle", cycle(400), "GRAPHQL_VALIDATION_FAILED");
    document(
        "a circle that nothing spreads",
        "{ __typename } fragment F on User { ...G } fragment G on User { ...F }".to_owned(),
        "GRAPHQL_VALIDATION_FAILED",
    );
    document(
        "a circle through fields",
        "{ me { ...F } } fragment F on User { sessions { nodes { user { ...F ...F } } } }".to_owned(),
        "GRAPHQL_VALIDATION_FAILED",
    );
    document(
        "100 aliases of login",
        format!("mutation {{ {} }}", many(100, &|n| format!("a{n}: {login} "))),
        "QUERY_TOO_COMPLEX",
    );
    document(
        "2 aliases of login in fragments",
        format!("mutation {{ ...F ... {{ a: {login} }} }} fragment F on Mutation {{ {login} }}"),
        "QUERY_TOO_COMPLEX",
    );
    document("500 repeated fields at the root", format!("{{ {} }}", "me { id } ".repeat(500)), "QUERY_TOO_COMPLEX");
    document("500 repeated fields", format!("{{ me {{ {} }} }}", "id ".repeat(500)), "QUERY_TOO_COMPLEX");
    document("500 aliases", format!("{{ me {{ {} }} }}", many(500, &|n| format!("a{n}: id "))), "QUERY_TOO_COMPLEX");
    document("10,000 directives", format!("{{ __typename {} }}", "@a ".repeat(10_000)), "QUERY_TOO_COMPLEX");
    document("1,500 directives", format!("{{ __typename {} }}", "@a ".repeat(1_500)), "QUERY_TOO_COMPLEX");
    document("1 MB of tokens", format!("{{ {} }}", "a ".repeat(500_000)), "QUERY_TOO_COMPLEX");
    document("1 MB of punctuation", "!".repeat(1_000_000), "QUERY_TOO_COMPLEX");
    document("100 x 100 x 100", "{ users(first: 100) { nodes { sessions(first: 100) { nodes { user { auditLogs(first: 100) { nodes { id } } } } } } } }".to_owned(), "QUERY_TOO_COMPLEX");
    document(
        "depth by fields",
        format!("{{ me {{ {} id {} }} }}", "sessions { nodes { user { ".repeat(8), "} } } ".repeat(8)),
        "QUERY_TOO_COMPLEX",
    );
    document("introspection in circles", introspection(&fields(6)), "QUERY_TOO_COMPLEX");
    document(
        "wide introspection in circles",
        introspection(&many(7, &|n| {
            format!("a{n}: fields {{ {} }} ", many(7, &|n| format!("a{n}: type {{ {} }} ", fields(2))))
        })),
        "QUERY_TOO_COMPLEX",
    );
    document("introspection by a stranger", introspection("name"), "UNAUTHENTICATED");
    document(
        "conflicts in nested fragments",
        format!("{{ me {{ {} {} {} }} }}", "... { ".repeat(25), many(900, &|n| format!("a:b{n} ")), "} ".repeat(25)),
        "GRAPHQL_VALIDATION_FAILED",
    );
    document(
        "thousands of unknown fields",
        format!("{{ me {{ {} }} }}", many(1_900, &|n| format!("b{n} "))),
        "GRAPHQL_VALIDATION_FAILED",
    );
    document(
        "thousands of unknown arguments",
        format!("{{ me({}) {{ id }} }}", many(1_200, &|n| format!("b{n}: 1 "))),
        "GRAPHQL_VALIDATION_FAILED",
    );
    document(
        "thousands of operations",
        format!("{{ __typename }} {}", many(900, &|n| format!("query Q{n} {{a}} "))),
        "QUERY_TOO_COMPLEX",
    );
    document("an endless string", format!("{{ user(id: \"{}", "x".repeat(100_000)), "GRAPHQL_PARSE_FAILED");
    let long = "x".repeat(200_000);
    document(
        "an undefined variable with a name of 200 kB in 300 operations",
        format!(
            "fragment F on Query {{ user(id: ${long}) {{ id }} }} {}",
            many(300, &|n| format!("query Q{n} {{ ...F }} "))
        ),
        "QUERY_TOO_COMPLEX",
    );
    document(
        "an endless number",
        format!("{{ users(first: {}) {{ nodes {{ id }} }} }}", "9".repeat(1_000_000)),
        "QUERY_TOO_COMPLEX",
    );

    let query = "query($id: ID!) { user(id: $id) { id } }";
    let mut variables = |what: &str, id: String, code: &'static str| {
        attacks.push((what.to_owned(), format!(r#"{{"query":"{query}","variables":{{"id":{id}}}}}"#), code));
    };
    for (what, open) in [("lists", "["), ("objects", r#"{"a":"#)] {
        variables(&format!("variables of {what} without end"), open.repeat(100_000), "BAD_USER_INPUT");
    }
    variables("variables of closed lists", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), "BAD_USER_INPUT");
    variables("a number too large for a float", "1e999".to_owned(), "BAD_USER_INPUT");
    for (what, id) in [
        ("a nested list that JSON takes", format!("{}{}", "[".repeat(100), "]".repeat(100))),
        ("an integer of 1,000 digits", "9".repeat(1_000)),
        ("a large float", "1e308".to_owned()),
        ("a list of 100,000", Value::from(vec![1; 100_000]).to_string()),
        ("a null", "null".to_owned()),
    ] {
        attacks.push((format!("variables: {what}"), format!(r#"{{"query":"query($first: Int!) {{ users(first: $first) {{ nodes {{ nothing }} }} }}","variables":{{"first":{id}}}}}"#),
            if what.contains("digits") { "BAD_USER_INPUT" } else { "GRAPHQL_VALIDATION_FAILED" }));
    }
    attacks
}
