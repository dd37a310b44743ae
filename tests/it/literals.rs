//! Literals and variables in documents: what is not of its type is refused before anything runs.

use guardianeye::config::Introspection;
use serde_json::json;

use crate::support::{TestApp, on_both};

on_both!(
    literals_of_their_types_are_taken,
    other_literals_are_refused_where_they_stand,
    variables_stand_only_where_their_types_fit,
    a_refused_document_runs_nothing_and_tells_why,
    null_is_refused_where_only_a_default_lets_its_variable_stand
);

async fn literals_of_their_types_are_taken(app: &TestApp) {
    for query in [
        "{ users(first: 100) { totalCount } }",
        "{ users(first: null, filter: null, orderBy: null) { totalCount } }",
        "{ users(orderBy: {field: USERNAME}) { totalCount } }",
        "{ users(orderBy: {field: USERNAME, direction: ASC}) { totalCount } }",
        "{ users(filter: {role: {eq: ADMIN}, isActive: true, createdAt: {gte: \"2026-01-01T00:00:00Z\"}}) { totalCount } }",
        // A single value stands for a list of one.
        "{ users(filter: {role: {in: ADMIN}}) { totalCount } }",
        "{ users(filter: {role: {in: [ADMIN, VIEWER]}, and: {or: {isActive: false}}}) { totalCount } }",
        "{ users(filter: {username: {eq: \"ADMIN\"}, or: [{isActive: true}, {isActive: false}]}) { totalCount } }",
        "{ user(id: \"00000000-0000-4000-8000-000000000000\") { id } }",
        "{ nodes(ids: \"00000000-0000-4000-8000-000000000000\") { id } }",
        "{ nodes(ids: []) { id } }",
        "query($n: Int = 2147483647) { me { id } users(first: 1) { totalCount @skip(if: true) } a: users(first: $n) @skip(if: true) { totalCount } }",
        "query($o: UserOrder = {field: USERNAME}, $in: [Role!] = ADMIN) { users(orderBy: $o, filter: {role: {in: $in}}) { totalCount } }",
        "query($f: UserOrderField = EMAIL, $d: OrderDirection) { users(orderBy: {field: $f, direction: $d}) { totalCount } }",
        "query($c: Boolean = true) { me { id @skip(if: $c) ...F } } fragment F on User { role @include(if: $c) }",
        "query($r: Role! = ADMIN, $in: [Role!]) { users(filter: {role: {in: [$r]}, or: {role: {in: $in}}}) { totalCount } }",
        "{ sessions(filter: {context: {contains: {a: [1, 1.5, \"x\", true, null, X, {b: {}}]}}}) { totalCount } }",
        "{ sessions(filter: {context: {contains: 4294967296}}) { totalCount } }",
        "query($v: Int = 1) { sessions(filter: {context: {contains: {a: [$v]}}}) { totalCount } }",
        "{ __type(name: \"User\") { fields(includeDeprecated: true) { name } } }",
    ] {
        let reply = app.admin().gql(query, json!({})).await;
        assert!(reply.body.get("errors").is_none(), "{query}: {:#}", reply.body);
    }
}

async fn other_literals_are_refused_where_they_stand(app: &TestApp) {
    for query in [
        // Numbers.
        "{ users(first: 2147483648) { totalCount } }",
        "{ users(first: -2147483649) { totalCount } }",
        "{ users(first: 99999999999999999999) { totalCount } }",
        "{ users(first: 1.0) { totalCount } }",
        "{ users(first: \"1\") { totalCount } }",
        "{ users(first: true) { totalCount } }",
        "{ users(first: ONE) { totalCount } }",
        "{ users(first: [1]) { totalCount } }",
        "{ users(first: {}) { totalCount } }",
        // Texts, ids and times.
        "{ userByUsername(username: 1) { id } }",
        "{ userByUsername(username: ADMIN) { id } }",
        "{ userByUsername(username: null) { id } }",
        "{ user(id: 1.5) { id } }",
        "{ user(id: ADMIN) { id } }",
        "{ nodes(ids: [\"a\", null]) { id } }",
        "{ nodes(ids: [[\"a\"]]) { id } }",
        "{ users(filter: {createdAt: {gte: \"yesterday\"}}) { totalCount } }",
        "{ users(filter: {createdAt: {gte: 2026}}) { totalCount } }",
        // Enums.
        "{ users(orderBy: {field: \"USERNAME\"}) { totalCount } }",
        "{ users(orderBy: {field: NOTHING}) { totalCount } }",
        "{ users(orderBy: {field: true}) { totalCount } }",
        "{ users(filter: {role: {in: [ADMIN, \"VIEWER\"]}}) { totalCount } }",
        "{ users(filter: {role: {in: \"ADMIN\"}}) { totalCount } }",
        // Input objects.
        "{ users(orderBy: \"USERNAME\") { totalCount } }",
        "{ users(orderBy: []) { totalCount } }",
        "{ users(orderBy: [{field: USERNAME}]) { totalCount } }",
        "{ users(orderBy: {}) { totalCount } }",
        "{ users(orderBy: {direction: ASC}) { totalCount } }",
        "{ users(orderBy: {field: USERNAME, direction: null}) { totalCount } }",
        "{ users(orderBy: {field: USERNAME, more: 1}) { totalCount } }",
        "{ users(filter: {and: [{isActive: true}, {or: {nothing: 1}}]}) { totalCount } }",
        "{ users(filter: {and: [{or: {isActive: 1}}]}) { totalCount } }",
        "{ users(filter: {isActive: true, isActive: false}) { totalCount } }",
        "{ users(filter: {and: [{isActive: true isActive: true}]}) { totalCount } }",
        "{ sessions(filter: {context: {contains: {a: 1, a: 1}}}) { totalCount } }",
        // Beside a variable.
        "query($d: OrderDirection) { users(orderBy: {field: \"EMAIL\", direction: $d}) { totalCount } }",
        "query($d: OrderDirection) { users(orderBy: {direction: $d}) { totalCount } }",
        "query($in: Role!) { users(filter: {role: {in: [$in, \"VIEWER\"]}}) { totalCount } }",
        // Defaults of variables.
        "query($n: Int = 2147483648) { users(first: $n) { totalCount } }",
        "query($n: Int! = null) { users(first: $n) { totalCount } }",
        "query($r: Role = \"ADMIN\") { users(filter: {role: {eq: $r}}) { totalCount } }",
        "query($in: [Role!] = [ADMIN, null]) { users(filter: {role: {in: $in}}) { totalCount } }",
        "query($o: UserOrder = {}) { users(orderBy: $o) { totalCount } }",
        "query($o: UserOrder = {field: EMAIL, field: EMAIL}) { users(orderBy: $o) { totalCount } }",
        // In directives and fragments.
        "{ me { id @skip(if: \"true\") } }",
        "{ me { id ... @include(if: 1) { role } } }",
        "{ me { __typename @include(if: YES) } }",
        "{ me { ...F } } fragment F on User { sessions(first: 2147483648) { totalCount } }",
        "{ node(id: \"a\") { ... on User { sessions(orderBy: {field: \"CREATED_AT\"}) { totalCount } } } }",
    ] {
        let reply = app.admin().gql(query, json!({ "in": "ADMIN" })).await;
        assert!(reply.codes().iter().all(|code| *code == "GRAPHQL_VALIDATION_FAILED"), "{query}: {:#}", reply.body);
        assert!(reply.body.get("data").is_none(), "{query}: {:#}", reply.body);
        for error in reply.body["errors"].as_array().expect("errors") {
            assert!(error["locations"][0]["column"].is_u64(), "{query}: {:#}", reply.body);
        }
    }
}

async fn variables_stand_only_where_their_types_fit(app: &TestApp) {
    for (variable, argument) in [
        ("$v: String", "first: $v"),
        ("$v: [Int]", "first: $v"),
        ("$v: Int", "filter: {isActive: $v}"),
        ("$v: Role", "filter: {role: {in: $v}}"),
        ("$v: Role", "filter: {role: {in: [$v]}}"),
        ("$v: [Role]", "filter: {role: {in: $v}}"),
        ("$v: UserOrderField", "orderBy: {field: $v}"),
        ("$v: UserOrderField = null", "orderBy: {field: $v}"),
        ("$v: String", "filter: {and: {and: {role: {eq: $v}}}}"),
    ] {
        for query in [
            format!("query({variable}) {{ users({argument}) {{ totalCount }} }}"),
            format!(
                "query({variable}) {{ ...F }} fragment F on Query {{ ...G }} fragment G on Query {{ users({argument}) {{ totalCount }} }}"
            ),
        ] {
            let reply = app.admin().gql(&query, json!({})).await;
            assert!(reply.codes().iter().all(|code| *code == "GRAPHQL_VALIDATION_FAILED"), "{query}: {:#}", reply.body);
            assert!(reply.body.get("data").is_none(), "{query}: {:#}", reply.body);
        }
    }
}

async fn a_refused_document_runs_nothing_and_tells_why(app: &TestApp) {
    let create = |title: &str| format!("createSession(input: {{title: {title}}}) {{ session {{ id }} }}");
    let mutation = format!("mutation {{ a: {} b: {} }}", create("\"one\""), create("2"));
    assert!(app.analyst().gql(&mutation, json!({})).await.body.get("data").is_none());
    assert_eq!(app.analyst().gql("{ sessions { totalCount } }", json!({})).await.data()["sessions"]["totalCount"], 0);
    for (query, message, column) in [
        (
            "{ users(orderBy: {field: \"EMAIL\"}) { totalCount } }",
            "the argument orderBy.field is not of type UserOrderField",
            18,
        ),
        (
            "{ users(filter: {role: {in: [ADMIN, \"VIEWER\"]}}) { totalCount } }",
            "the argument filter.role.in[1] is not of type Role",
            17,
        ),
        (
            "query($n: Int = 2147483648) { users(first: $n) { totalCount } }",
            "the default of the variable $n is not of type Int",
            17,
        ),
        (
            "{ users(filter: {isActive: true, isActive: false}) { totalCount } }",
            "the field isActive is given twice",
            34,
        ),
    ] {
        let reply = app.admin().gql(query, json!({})).await;
        assert_eq!(reply.message(), message, "{query}");
        assert_eq!(reply.body["errors"][0]["locations"], json!([{ "line": 1, "column": column }]), "{query}");
        let router = app.within(|limits| limits.document.introspection = Introspection::SignedIn).await;
        let reply = app.anonymous().at(&router).gql(query, json!({})).await;
        assert!(reply.message().starts_with("validation failed ("), "{:#}", reply.body);
    }
}

async fn null_is_refused_where_only_a_default_lets_its_variable_stand(app: &TestApp) {
    for (query, variable) in [
        ("query($v: String = \"adam\") { userByUsername(username: $v) { id } }", 7),
        ("query($d: OrderDirection) { users(orderBy: {field: EMAIL, direction: $d}) { totalCount } }", 7),
        (
            "query($o: Int, $c: Boolean = true) { ...F } fragment F on Query { me { id @skip(if: $c) } users(first: $o) { totalCount } }",
            16,
        ),
    ] {
        // Also when the document is known.
        for value in [json!({ "v": null, "d": null, "c": null }), json!({}), json!({ "v": null, "d": null, "c": null })]
        {
            let reply = app.admin().gql(query, value.clone()).await;
            if value == json!({}) {
                reply.data();
                continue;
            }
            assert_eq!(reply.code(), "BAD_USER_INPUT", "{query}");
            assert_eq!(reply.body["errors"][0]["locations"], json!([{ "line": 1, "column": variable }]), "{query}");
            assert!(reply.body.get("data").is_none(), "{query}: {:#}", reply.body);
        }
    }
}
