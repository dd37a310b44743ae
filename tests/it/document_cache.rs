//! The document cache: a cached document gets the same response as a new one.

use axum::{Router, body::Body, http::Request};
use serde_json::{Value, json};

use crate::support::{Backend, Caller, Reply, TestApp, on_both};

/// The variables as JSON, and the name of the operation.
type Question = (&'static str, Option<&'static str>);

/// Documents with what they are sent with, one after the other.
const DOCUMENTS: &[(&str, &[Question])] = &[
    ("{ me { id username email } }", &[("{}", None)]),
    ("{ users { nodes { username sessions { nodes { title } } } } }", &[("{}", None)]),
    ("{ a: users { totalCount } b: users(first: 1) { nodes { id } pageInfo { hasNextPage } } }", &[("{}", None)]),
    ("{ users { nodes { id } nodes { username } } users { totalCount } }", &[("{}", None)]),
    ("{ users(first: 1000) { nodes { id } } me { id } }", &[("{}", None)]),
    ("{ users { nodes { nothing } } }", &[("{}", None)]),
    ("{ nothing }", &[("{}", None)]),
    ("{ me }", &[("{}", None)]),
    ("{ me { id { x } } }", &[("{}", None)]),
    ("{ me { id ...F } }", &[("{}", None)]),
    ("{ me { id } } fragment F on User { id }", &[("{}", None)]),
    ("{ me { ...F } } fragment F on User { id ...F }", &[("{}", None)]),
    ("{ me { id: username id } }", &[("{}", None)]),
    ("{ __typename }", &[("{}", None)]),
    ("{ __schema { queryType { name fields { name } } } }", &[("{}", None)]),
    ("{ __type(name: \"User\") { kind name fields { name type { name kind ofType { name } } } } }", &[("{}", None)]),
    ("{ __type(name: \"Nothing\") { name } }", &[("{}", None)]),
    (
        "query($a: ID!) { node(id: $a) { __typename ... on User { username } } }",
        &[
            (r#"{"a": "018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57"}"#, None),
            (r#"{"a": "no uuid"}"#, None),
            (r#"{"a": null}"#, None),
            ("{}", None),
            (r#"{"a": [1]}"#, None),
            (r#"{"a": 7}"#, None),
        ],
    ),
    (
        "query($a: ID) { nodes(ids: [$a]) { id } }",
        &[(r#"{"a": "018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57"}"#, None), ("{}", None), (r#"{"a": null}"#, None)],
    ),
    (
        "query($a: [ID!]!) { nodes(ids: $a) { id } }",
        &[(r#"{"a": []}"#, None), (r#"{"a": "one"}"#, None), (r#"{"a": [null]}"#, None), ("{}", None)],
    ),
    (
        "query($n: Int) { users(first: $n) { nodes { id } } }",
        &[
            (r#"{"n": 1}"#, None),
            (r#"{"n": "1"}"#, None),
            (r#"{"n": 1.5}"#, None),
            (r#"{"n": 3000000000}"#, None),
            ("{}", None),
            (r#"{"n": null}"#, None),
            (r#"{"other": 1}"#, None),
        ],
    ),
    (
        "query($n: Int = 2) { users(first: $n) { nodes { id } } }",
        &[("{}", None), (r#"{"n": null}"#, None), (r#"{"n": true}"#, None)],
    ),
    (
        "query($f: SessionFilter) { sessions(filter: $f) { totalCount } }",
        &[
            (r#"{"f": {"isActive": true}}"#, None),
            (r#"{"f": {"nothing": true}}"#, None),
            (r#"{"f": {"isActive": "yes"}}"#, None),
            (r#"{"f": null}"#, None),
            (r#"{"f": {}}"#, None),
            (r#"{"f": {"createdAt": {"gte": "yesterday"}}}"#, None),
            ("{}", None),
        ],
    ),
    (
        "query($t: String, $b: Boolean) { sessions(filter: { title: { eq: $t }, isActive: $b }) { totalCount } }",
        &[
            ("{}", None),
            (r#"{"t": "a"}"#, None),
            (r#"{"b": true}"#, None),
            (r#"{"t": 1}"#, None),
            (r#"{"t": null, "b": null}"#, None),
        ],
    ),
    (
        "query($o: SessionOrder) { sessions(orderBy: $o) { totalCount } }",
        &[
            (r#"{"o": {"field": "CREATED_AT"}}"#, None),
            (r#"{"o": {"field": "TITLE"}}"#, None),
            (r#"{"o": {}}"#, None),
            ("{}", None),
        ],
    ),
    (
        "query($d: OrderDirection) { sessions(orderBy: { field: CREATED_AT, direction: $d }) { totalCount } }",
        &[("{}", None), (r#"{"d": "ASC"}"#, None), (r#"{"d": null}"#, None), (r#"{"d": "UP"}"#, None)],
    ),
    (
        "query($y: Boolean!) { me { id @include(if: $y) username @skip(if: $y) __typename @skip(if: $y) } }",
        &[(r#"{"y": true}"#, None), (r#"{"y": false}"#, None), (r#"{"y": "yes"}"#, None), ("{}", None)],
    ),
    (
        "query($y: Boolean!) { me @include(if: $y) { id } }",
        &[(r#"{"y": false}"#, None), (r#"{"y": true}"#, None), ("{}", None)],
    ),
    (
        "query A { me { id } } query B($n: Int!) { users(first: $n) { totalCount } }",
        &[
            ("{}", Some("A")),
            ("{}", Some("B")),
            (r#"{"n": 1}"#, Some("B")),
            ("{}", Some("C")),
            ("{}", None),
            ("{}", Some("")),
        ],
    ),
    ("query A { me { id } } query B { nothing }", &[("{}", Some("A")), ("{}", Some("B"))]),
    (
        "query A { me { id } } mutation B { deleteSession(id: \"x\") { __typename } }",
        &[("{}", Some("A")), ("{}", Some("B"))],
    ),
    ("query A { me { id } }", &[("{}", Some("A")), ("{}", None), ("{}", Some("B"))]),
    ("{ me { id } }", &[("{}", None), ("{}", Some("A"))]),
    (
        "mutation($i: ID!) { endSession(id: $i) { session { id } } }",
        &[(r#"{"i": "018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57"}"#, None), (r#"{"i": "x"}"#, None), ("{}", None)],
    ),
    (
        "mutation { a: endSession(id: \"x\") { session { id } } b: endSession(id: \"018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57\") { session { id } } }",
        &[("{}", None)],
    ),
    (
        "mutation($t: String) { updateSession(input: { id: \"018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57\", title: $t }) { session { id } } }",
        &[("{}", None), (r#"{"t": null}"#, None), (r#"{"t": {}}"#, None)],
    ),
    (
        "mutation($i: UpdateUserInput!) { updateUser(input: $i) { user { id } } }",
        &[
            (r#"{"i": {"id": "018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57"}}"#, None),
            (r#"{"i": {}}"#, None),
            (r#"{"i": {"id": "x", "role": 1}}"#, None),
        ],
    ),
    // Variables of other types than their places: the library looks at the values only.
    (
        "query($d: String) { sessions(orderBy: { field: CREATED_AT, direction: $d }) { totalCount } }",
        &[(r#"{"d": "ASC"}"#, None), (r#"{"d": "UP"}"#, None), (r#"{"d": null}"#, None), ("{}", None)],
    ),
    (
        r#"query($a: ID = "018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57") { node(id: $a) { id } }"#,
        &[("{}", None), (r#"{"a": null}"#, None), (r#"{"a": "x"}"#, None)],
    ),
    (
        "query($y: Boolean = true) { me { id @include(if: $y) } }",
        &[("{}", None), (r#"{"y": null}"#, None), (r#"{"y": false}"#, None)],
    ),
    (
        r#"mutation($a: ID) { a: endSession(id: "x") { session { id } } b: endSession(id: $a) { session { id } } }"#,
        &[(r#"{"a": "x"}"#, None), (r#"{"a": null}"#, None), ("{}", None)],
    ),
    (
        "query A($n: Int) { users(first: $n) { totalCount } } query B($n: String) { users(after: $n) { totalCount } }",
        &[("{}", Some("A")), ("{}", Some("B")), (r#"{"n": 1}"#, Some("A")), (r#"{"n": "x"}"#, Some("B"))],
    ),
    ("subscription { nothing }", &[("{}", None)]),
    ("{ me { id ", &[("{}", None)]),
    ("", &[("{}", None)]),
];

fn questions() -> impl Iterator<Item = (&'static str, Value, Option<&'static str>)> {
    DOCUMENTS.iter().flat_map(|(text, questions)| {
        questions.iter().map(|(variables, name)| (*text, serde_json::from_str(variables).expect("JSON"), *name))
    })
}

/// The first time and the second, on the same server; and whatever the document was sent with before.
#[tokio::test]
async fn a_cached_document_gets_the_same_response() {
    TestApp::run(Backend::Sqlite, async |app| {
        app.session(app.viewer().id(), "a", app.now()).await;
        let warm = app.within(|_| {}).await;
        // What is asked with variables is asked by one; who asks makes no difference to them.
        let callers = |variables: &Value| {
            let all = [app.admin(), app.viewer(), app.anonymous()];
            all.into_iter().take(if *variables == json!({}) { 3 } else { 1 })
        };
        // A server that knows nothing, for each question.
        let mut expected = Vec::new();
        for (text, variables, name) in questions() {
            for caller in callers(&variables) {
                let cold = app.within(|_| {}).await;
                let first = ask(&caller, &cold, text, &variables, name).await;
                let second = ask(&caller, &cold, text, &variables, name).await;
                assert_eq!(first, second, "{text} {variables} {name:?}");
                expected.push(first);
            }
        }
        for round in 0..2 {
            let mut expected = expected.iter();
            for (text, variables, name) in questions() {
                for caller in callers(&variables) {
                    let again = ask(&caller, &warm, text, &variables, name).await;
                    assert_eq!(Some(&again), expected.next(), "round {round}: {text} {variables} {name:?}");
                }
            }
        }
    })
    .await;
}

on_both!(a_cached_document_is_still_rejected_with_invalid_variables);

async fn a_cached_document_is_still_rejected_with_invalid_variables(app: &TestApp) {
    let query =
        "query A($n: Int!, $f: UserFilter) { users(first: $n, filter: $f) { totalCount } } query B { me { id } }";
    let ask = async |variables: Value, name: &'static str| {
        ask(&app.admin(), &app.router, query, &variables, Some(name)).await
    };
    for _ in 0..2 {
        for (variables, name, code) in [
            (json!({ "n": 1 }), "A", None),
            (json!({}), "B", None),
            (json!({}), "A", Some("BAD_USER_INPUT")),
            (json!({ "n": null }), "A", Some("BAD_USER_INPUT")),
            (json!({ "n": "1" }), "A", Some("BAD_USER_INPUT")),
            (json!({ "n": 1, "f": { "nothing": 1 } }), "A", Some("BAD_USER_INPUT")),
            (json!({ "n": 1_000 }), "A", Some("BAD_USER_INPUT")),
            (json!({ "n": 1 }), "C", Some("BAD_USER_INPUT")),
            (json!({ "n": 1 }), "", Some("BAD_USER_INPUT")),
        ] {
            let (_, body) = ask(variables.clone(), name).await;
            assert_eq!(body["errors"][0]["extensions"]["code"].as_str(), code, "{name} {variables}: {body}");
        }
    }
}

async fn ask(caller: &Caller<'_>, router: &Router, text: &str, variables: &Value, name: Option<&str>) -> (u16, Value) {
    let body = json!({ "query": text, "variables": variables, "operationName": name }).to_string();
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    if let Some(token) = caller.maybe_token() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let reply = Reply::of(router.clone(), request.body(Body::from(body)).expect("a request")).await;
    (reply.status.as_u16(), reply.body)
}
