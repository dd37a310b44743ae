//! JSON values from the client to the database and back: numbers, order of keys, U+0000, and rows that an older program wrote.

use axum::{body::Body, http::Request};
use guardianeye::{db::list, model::Session};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use crate::support::{Caller, TestApp, on_both};

const CREATE: &str = "mutation($c: JSON) { createSession(input: {context: $c}) { session { id context } } }";
const RECORD: &str =
    "mutation($d: JSON) { recordAuditLog(input: {action: QUERY_AGENT, details: $d}) { auditLog { details } } }";

on_both!(
    numbers_of_64_bits_and_doubles_are_kept_exactly,
    numbers_beyond_64_bits_and_doubles_are_refused_with_their_field,
    keys_keep_their_order,
    the_character_nul_is_refused_wherever_text_enters,
    contains_compares_numbers_by_their_digits,
    stored_json_that_breaks_the_rules_is_harmless
);

async fn numbers_of_64_bits_and_doubles_are_kept_exactly(app: &TestApp) {
    let caller = app.analyst();
    for number in [
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "0.1",
        "-0.0",
        "2.5e-8",
        "1e+20",
        "1.7976931348623157e+308",
        "5e-324",
        "9007199254740992.0",
    ] {
        let context = format!(r#"{{"n":{number}}}"#);
        let sent = format!(r#"{{"query":"{CREATE}","variables":{{"c":{context}}}}}"#);
        let answer = raw(app, &caller, sent).await;
        assert!(answer.contains(&format!(r#""context":{context}}}"#)), "{number}: {answer}");
        assert_eq!(stored(app, &answer).await, context);

        let inline =
            format!("mutation {{ createSession(input: {{context: {{n: {number}}}}}) {{ session {{ id context }} }} }}");
        let answer = raw(app, &caller, json!({ "query": inline }).to_string()).await;
        assert!(answer.contains(&format!(r#""context":{context}}}"#)), "{number}: {answer}");

        let patched = patch(app, &caller, &answer, r#"{"m":null,"o":1}"#).await;
        assert!(patched.contains(&format!(r#""context":{{"n":{number},"o":1}}}}"#)), "{number}: {patched}");
        let sent = format!(r#"{{"query":"{RECORD}","variables":{{"d":{context}}}}}"#);
        let answer = raw(app, &caller, sent).await;
        assert!(answer.contains(&format!(r#""details":{context}}}"#)), "{number}: {answer}");
    }
}

async fn numbers_beyond_64_bits_and_doubles_are_refused_with_their_field(app: &TestApp) {
    for number in ["18446744073709551616", "-9223372036854775809", "12345678901234567890123", "1e400", "-1e400"] {
        let sent = format!(r#"{{"query":"{CREATE}","variables":{{"c":{{"n":[{number}]}}}}}}"#);
        let answer = raw(app, &app.analyst(), sent).await;
        assert!(answer.contains(r#""code":"BAD_USER_INPUT""#), "{number}: {answer}");
        assert!(number.contains('e') || answer.contains(r#""field":"variables.c.n[0]""#), "{number}: {answer}");
        let inline =
            format!("mutation {{ createSession(input: {{context: {{n: [{number}]}}}}) {{ session {{ id }} }} }}");
        let answer = raw(app, &app.analyst(), json!({ "query": inline }).to_string()).await;
        let code = if number.contains('e') { "GRAPHQL_PARSE_FAILED" } else { "BAD_USER_INPUT" };
        assert!(answer.contains(&format!(r#""code":"{code}""#)), "{number}: {answer}");
        assert!(number.contains('e') || answer.contains(r#""field":"n""#), "{number}: {answer}");
    }
}

async fn keys_keep_their_order(app: &TestApp) {
    let caller = app.analyst();
    let context = r#"{"z":{"b":1,"a":[{"y":1,"x":2}]},"a":0,"m":null}"#;
    let inline = "{z: {b: 1, a: [{y: 1, x: 2}]}, a: 0, m: null}";
    let by_variable = format!(r#"{{"query":"{CREATE}","variables":{{"c":{context}}}}}"#);
    let by_literal = json!({ "query": format!("mutation {{ createSession(input: {{context: {inline}}}) {{ session {{ id context }} }} }}") });
    for sent in [by_variable, by_literal.to_string()] {
        let answer = raw(app, &caller, sent).await;
        assert!(answer.contains(&format!(r#""context":{context}}}"#)), "{answer}");
        assert_eq!(stored(app, &answer).await, context);
        // What stays keeps its place, and what is new comes last.
        let patched = patch(app, &caller, &answer, r#"{"n":2,"z":{"c":3,"b":9},"a":null,"b":{"q":1,"p":2}}"#).await;
        let expected = r#"{"z":{"b":9,"a":[{"y":1,"x":2}],"c":3},"m":null,"n":2,"b":{"q":1,"p":2}}"#;
        assert!(patched.contains(&format!(r#""context":{expected}}}"#)), "{patched}");
        assert_eq!(stored(app, &answer).await, expected);
        // Another order is another text to hand out.
        let id = id_of(&answer);
        let replace = format!(
            r#"mutation {{ updateSession(input: {{id: \"{id}\", context: {{m: 1, b: 2, a: 3}}}}) {{ session {{ context }} }} }}"#
        );
        for (from, to) in [("", r#"{"m":1,"b":2,"a":3}"#), ("m: 1, b: 2, a: 3", r#"{"a":3,"m":1,"b":2}"#)] {
            let replace = if from.is_empty() { replace.clone() } else { replace.replace(from, "a: 3, m: 1, b: 2") };
            let answer = raw(app, &caller, format!(r#"{{"query":"{replace}"}}"#)).await;
            assert!(answer.contains(&format!(r#""context":{to}}}"#)), "{answer}");
        }
    }
    let details = r#"{"tool":"nmap","args":{"z":1,"a":2},"at":3}"#;
    let answer = raw(app, &caller, format!(r#"{{"query":"{RECORD}","variables":{{"d":{details}}}}}"#)).await;
    assert!(answer.contains(&format!(r#""details":{details}}}"#)), "{answer}");
}

async fn the_character_nul_is_refused_wherever_text_enters(app: &TestApp) {
    let create = |title: &str, context: &str| {
        format!("mutation {{ createSession(input: {{title: {title}, context: {context}}}) {{ session {{ id }} }} }}")
    };
    let documents = [
        create("\"a\0\"", "1"),
        create("\"\"\"a\0\"\"\"", "1"),
        create("\"a\\u0000\"", "1"),
        create("\"a\"", "\"\0\""),
        create("\"a\"", "{a: \"\"\"\0\"\"\"}"),
        create("\"a\"", "[\"\\u0000\"]"),
        create("\"a\"", "1") + " # \0",
        create("\"a\"", "{a\0: 1}"),
        "\0".to_owned(),
        "{ me { id } }\0".to_owned(),
    ];
    for document in documents {
        let answer = raw(app, &app.analyst(), json!({ "query": document }).to_string()).await;
        assert!(
            answer.contains(r#""code":"BAD_USER_INPUT""#) && !answer.contains(r#""data""#),
            "{document:?}: {answer}"
        );
    }
    let bodies = [
        r#"{"query":"{ __typename }","variables":{"a":"\u0000"}}"#,
        r#"{"query":"{ __typename }","variables":{"a\u0000":1}}"#,
        r#"{"query":"{ __typename }","extensions":{"a":["\u0000"]}}"#,
        r#"{"query":"{ __typename }","operationName":"\u0000"}"#,
        "{\"query\":\"{ __typename }\0\"}",
        "\0",
    ];
    for body in bodies {
        let answer = raw(app, &app.analyst(), body.to_owned()).await;
        assert!(answer.contains(r#""code":"BAD_USER_INPUT""#), "{body:?}: {answer}");
    }
    for url in [
        "query=%7B__typename%7D%00",
        "query=%7B__typename%7D&operationName=%00",
        "query=%7B__typename%7D&variables=%7B%22a%22%3A%22%5Cu0000%22%7D",
        "query=%7B__typename%7D&variables=%00",
        "query=%7B__typename%7D&extensions=%22%5Cu0000%22",
    ] {
        let request = Request::get(format!("/graphql?{url}")).body(Body::empty()).expect("a request");
        assert_eq!(app.analyst().send(request).await.code(), "BAD_USER_INPUT", "{url}");
    }
    let sessions = app.admin().gql("{ sessions { totalCount } }", json!({})).await;
    assert_eq!(sessions.data()["sessions"]["totalCount"], 0);
}

/// Equal are numbers whose digits stand for the same number, whatever database is asked and however they are written.
async fn contains_compares_numbers_by_their_digits(app: &TestApp) {
    // What is stored, and to which numbers it is equal; an integer beyond 64 bits is an older program's.
    let equal: &[(&str, &[&str])] = &[
        ("1", &["1", "1.0", "1e0", "10e-1"]),
        ("1.0", &["1", "1.0", "1e0", "10e-1"]),
        ("1e2", &["100", "100.0", "1E+2"]),
        ("-0.0", &["0", "-0", "0.0"]),
        ("0.1", &["0.1", "1e-1"]),
        ("9007199254740992", &["9007199254740992", "9007199254740992.0"]),
        ("9007199254740993", &["9007199254740993"]),
        ("9007199254740992.0", &["9007199254740992", "9007199254740992.0"]),
        ("1152921504606846976", &["1152921504606846976"]),
        ("1152921504606847000", &["1152921504606847000", "1152921504606846976.0"]),
        ("1.152921504606847e+18", &["1152921504606847000", "1152921504606846976.0"]),
        ("9223372036854775807", &["9223372036854775807"]),
        ("9223372036854775808", &["9223372036854775808"]),
        ("18446744073709551614", &["18446744073709551614"]),
        ("18446744073709551615", &["18446744073709551615"]),
        ("1.8446744073709552e+19", &["18446744073709551616.0", "1.8446744073709552e19"]),
        ("18446744073709552000", &["18446744073709551616.0", "1.8446744073709552e19"]),
        ("-9223372036854775808", &["-9223372036854775808"]),
        ("1e20", &["1e20", "100000000000000000000.0"]),
        ("1.7976931348623157e308", &["1.7976931348623157e308"]),
        ("5e-324", &["5e-324"]),
    ];
    let numbers: std::collections::BTreeSet<_> = equal.iter().flat_map(|(_, equal)| equal.iter()).collect();
    for (stored, equal) in equal {
        let session = app.session(app.analyst().id(), "numbers", app.now()).await;
        app.execute(&format!(
            "update sessions set context = '{{\"a \\\"\": [{{\"n\": {stored}}}]}}' where id = '{}'",
            session.id
        ))
        .await;
        for number in &numbers {
            let query = "query($c: JSON) { sessions(filter: {context: {contains: $c}}) { totalCount } }";
            let sent = format!(r#"{{"query":"{query}","variables":{{"c":{{"a \"":[{{"n":{number}}}]}}}}}}"#);
            let answer = raw(app, &app.analyst(), sent).await;
            let expected = format!(r#""totalCount":{}}}"#, u8::from(equal.contains(number)));
            assert!(answer.contains(&expected), "{stored} and {number}: {answer}");
        }
        app.execute(&format!("delete from sessions where id = '{}'", session.id)).await;
    }
}

/// An older program let them in. They are handed out as they are, and end nothing.
async fn stored_json_that_breaks_the_rules_is_harmless(app: &TestApp) {
    let caller = app.analyst();
    let nested = (0..3).fold("0".to_owned(), |inner, _| {
        let inner = format!("{}{inner}{}", "[".repeat(120), "]".repeat(120));
        format!(r#"{{"$serde_json::private::RawValue":"{}"}}"#, inner.replace('\\', "\\u005c").replace('"', "\\u0022"))
    });
    for text in [
        nested.as_str(),
        r#"{"$serde_json::private::RawValue": "{\"role\":\"ADMIN\"}"}"#,
        r#"{"a": {"$serde_json::private::Number": "1"}}"#,
        r#"{"a":  "b\u0000c", "k": 1}"#,
        r#"{"a": "\ud800", "k": 1}"#,
        &format!("{}{}", "[".repeat(900), "]".repeat(900)),
        r#"{"n": 123456789012345678901234567890.0e0, "m": 123456789012345678901234567890}"#,
    ] {
        let session = app.session(caller.id(), "old", app.now()).await;
        app.execute(&format!("update sessions set context = '{text}' where id = '{}'", session.id)).await;
        let update = |field: &str| {
            format!(
                r#"{{"query":"mutation {{ updateSession(input: {{id: \"{}\", {field}}}) {{ session {{ context }} }} }}"}}"#,
                session.id
            )
        };
        let read = format!(
            r#"{{"query":"{{ session(id: \"{}\") {{ context }} sessions {{ nodes {{ context }} }} broken: users(first: 1000) {{ nodes {{ id }} }} }}"}}"#,
            session.id
        );
        let answer = raw(app, &caller, read.replace(" broken: users(first: 1000) { nodes { id } }", "")).await;
        assert_eq!(answer.matches(&format!(r#""context":{text}}}"#)).count(), 2, "{answer}");
        let answer = raw(app, &caller, read).await;
        assert_eq!(answer.matches(&format!(r#""context":{text}}}"#)).count(), 2, "{answer}");
        let answer = raw(app, &caller, update("title: \\\"new\\\"")).await;
        assert!(answer.contains(&format!(r#""context":{text}}}"#)), "{answer}");
        let answer = raw(app, &caller, update("contextPatch: {b: 1}")).await;
        assert!(
            answer.contains(r#""code":"BAD_USER_INPUT""#) && answer.contains(r#""field":"contextPatch""#),
            "{answer}"
        );
        let filter = "{ sessions(filter: {context: {contains: {b: 1}}}) { totalCount nodes { id } } }";
        assert_eq!(caller.gql(filter, json!({})).await.data()["sessions"]["totalCount"], 0, "{text}");
        let answer = raw(app, &caller, update("context: {b: 1}")).await;
        assert!(answer.contains(r#""context":{"b":1}}"#), "{answer}");
        assert_eq!(caller.gql(filter, json!({})).await.data()["sessions"]["totalCount"], 1, "{text}");
        app.execute(&format!("delete from sessions where id = '{}'", session.id)).await;
    }
}

async fn patch(app: &TestApp, caller: &Caller<'_>, answer: &str, patch: &str) -> String {
    let document =
        "mutation($id: ID!, $p: JSON) { updateSession(input: {id: $id, contextPatch: $p}) { session { context } } }";
    let id = id_of(answer);
    raw(app, caller, format!(r#"{{"query":"{document}","variables":{{"id":"{id}","p":{patch}}}}}"#)).await
}

/// The context in the database of the session in an answer.
async fn stored(app: &TestApp, answer: &str) -> String {
    let id = id_of(answer).parse().expect("an id");
    let sessions = list::by_ids::<Session>(app.db(), &[id]).await.expect("reads");
    sessions[0].context.clone().expect("a context").0
}

fn id_of(answer: &str) -> String {
    let (_, rest) = answer.split_once(r#""id":""#).expect(answer);
    rest.split('"').next().expect("an id").to_owned()
}

/// The answer as it goes over the wire.
async fn raw(app: &TestApp, caller: &Caller<'_>, body: String) -> String {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", caller.token()));
    let request = request.body(Body::from(body)).expect("a request");
    let response = app.router.clone().oneshot(request).await.expect("the router answers");
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}
