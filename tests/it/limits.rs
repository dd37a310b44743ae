//! Limits on documents: each limit accepts its value and rejects one more, without SQL.

use guardianeye::config::DocumentLimits;
use serde_json::json;

use crate::support::{TestApp, many, on_both};

const BENCHMARK: &str = "{ users(first: 20) { nodes { id username email role
    sessions(first: 5) { nodes { id title threadId isActive createdAt } }
    auditLogs(first: 10) { nodes { id action success ipAddress description timestamp } } } } }";

/// A setting's name, how to set it, a document at its edge, and one over it.
type Case = (&'static str, fn(&mut DocumentLimits), String, String);

on_both!(
    each_limit_accepts_its_value_and_rejects_one_more_without_sql,
    a_limit_error_names_the_count_the_limit_and_the_setting,
    typical_queries_are_within_the_limits,
    page_sizes_in_variables_and_defaults_count_like_literals,
    filter_operators_without_an_index_have_a_higher_complexity,
    fragments_and_aliases_count_and_other_operations_do_not,
    a_login_is_allowed_once_per_operation,
    cyclic_fragments_are_rejected_even_if_unused,
    the_number_of_validation_errors_is_limited,
    the_complexity_rate_limit_is_per_principal_and_sets_retry_after
);

async fn each_limit_accepts_its_value_and_rejects_one_more_without_sql(app: &TestApp) {
    let chain = |depth: usize| {
        format!("{{ {} {} }}", "me { sessions { nodes { user { ".repeat(depth / 4), "id }}}}".repeat(depth / 4))
    };
    let fragments = |nest: usize| {
        let deeper = many(1..nest, |n| format!("fragment F{n} on User {{ ...F{} }}", n + 1));
        format!("{{ me {{ ...F1 }} }} {deeper} fragment F{nest} on User {{ id }}")
    };
    let aliases = |count: usize| format!("{{ me {{ {} }} }}", many(0..count, |n| format!("a{n}: id ")));
    let spread_aliases = |count: usize| {
        let one = |n| format!("fragment F{n} on User {{ a{n}: id }}");
        format!("{{ me {{ {} }} }} {}", many(0..count, |n| format!("...F{n} ")), many(0..count, one))
    };
    let setting: [Case; 10] = [
        ("MAX_NESTING", |limits| limits.nesting = 12, nested_list(10), nested_list(11)),
        (
            "MAX_TOKENS",
            |limits| limits.tokens = 10,
            "{ me { id id id id id } }".to_owned(),
            "{ me { id id id id id id } }".to_owned(),
        ),
        (
            "MAX_SELECTIONS",
            |limits| limits.selections = 7,
            "{ me { ...F ...F } } fragment F on User { id username }".to_owned(),
            "{ me { ...F ...F id } } fragment F on User { id username }".to_owned(),
        ),
        (
            "MAX_DEPTH",
            |limits| limits.depth = 9,
            chain(8),
            "{ me { sessions { nodes { user { sessions { nodes { user { sessions { nodes { id }}}}}}}}}}".to_owned(),
        ),
        ("MAX_DEPTH", |limits| limits.depth = 3, fragments(6), fragments(7)),
        (
            "MAX_COST",
            |limits| limits.cost = 202,
            "{ users(first: 100) { nodes { id username } } }".to_owned(),
            "{ users(first: 100) { nodes { id username } } __typename }".to_owned(),
        ),
        ("MAX_ALIASES", |limits| limits.aliases = 4, aliases(4), aliases(5)),
        ("MAX_ALIASES", |limits| limits.aliases = 4, spread_aliases(4), spread_aliases(5)),
        (
            "MAX_ROOT_FIELDS",
            |limits| limits.root_fields = 3,
            "{ me { id } ...F } fragment F on Query { a: __typename b: __typename }".to_owned(),
            "{ me { id } ...F __typename } fragment F on Query { a: __typename b: __typename }".to_owned(),
        ),
        (
            "MAX_DIRECTIVES",
            |limits| limits.directives = 1,
            "{ me { id @skip(if: false) } }".to_owned(),
            "{ me { id @skip(if: false) @include(if: true) } }".to_owned(),
        ),
    ];
    let mut routers = Vec::new();
    for (name, set, edge, _) in &setting {
        let router = app.within(|limits| set(&mut limits.document)).await;
        let reply = app.admin().at(&router).gql(edge, json!({})).await;
        assert!(!reply.codes().contains(&"QUERY_TOO_COMPLEX"), "{name}: {edge}: {:#}", reply.body);
        routers.push(router);
    }
    // Whatever asked the database from here on, if only who the caller is, would be INTERNAL.
    app.db().close().await;
    for ((name, _, _, over), router) in setting.iter().zip(&routers) {
        let reply = app.admin().at(router).gql(over, json!({})).await;
        assert_eq!(reply.code(), "QUERY_TOO_COMPLEX", "{name}: {over}");
        assert!(reply.message().contains(&format!("GUARDIANEYE_{name}")), "{}", reply.message());
        assert!(reply.body.get("data").is_none());
    }
}

async fn a_limit_error_names_the_count_the_limit_and_the_setting(app: &TestApp) {
    let reply = app.viewer().gql("{ users(first: 100) { nodes { sessions(first: 100) { nodes { user { sessions(first: 100) { nodes { id } } } } } } } }", json!({})).await;
    // 1 + 1 + 100 * (1 + 1 + 100 * (1 + 1 + 1 + 100))
    assert_eq!(reply.message(), "query complexity 1030202 exceeds the limit of 50000 (GUARDIANEYE_MAX_COST)");
}

async fn typical_queries_are_within_the_limits(app: &TestApp) {
    for (query, cost) in [
        (BENCHMARK, 2 + 20 * (4 + 2 + 5 * 5 + 2 + 10 * 7)),
        ("{ users(first: 100) { nodes { id } } }", 102),
        ("{ users(first: 100) { nodes { id username email fullName role isActive createdAt lastLogin
                sessions(first: 20) { nodes { id threadId context title isActive createdAt updatedAt endedAt } }
                auditLogs(first: 20) { nodes { id action details description ipAddress userAgent success timestamp } } } } }", 2 + 100 * (8 + 2 + 20 * 11 + 2 + 20 * 12)),
        ("{ users { nodes { id } edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }", 1 + 1 + 20 + 1 + 20 * 3 + 3),
        ("{ me { id } }", 2),
    ] {
        let reply = app.analyst().gql(query, json!({})).await;
        reply.data();
        assert_eq!(reply.cost(), cost, "{query}");
    }
}

async fn page_sizes_in_variables_and_defaults_count_like_literals(app: &TestApp) {
    let query = "query($first: Int = 30) { users(first: $first) { nodes { id } } }";
    for (variables, rows) in [(json!({}), 30), (json!({ "first": 70 }), 70), (json!({ "first": null }), 20)] {
        assert_eq!(app.analyst().gql(query, variables.clone()).await.cost(), 2 + rows, "{variables}");
    }
    let nested = "query($n: Int) { users(first: $n) { nodes { sessions(first: $n) { nodes { user { auditLogs(last: $n) { nodes { id } } } } } } } }";
    assert_eq!(app.analyst().gql(nested, json!({ "n": 100 })).await.code(), "QUERY_TOO_COMPLEX");
    app.analyst().gql(nested, json!({ "n": 10 })).await.data();
    // Not a number that `first` takes: the resolver or validation says so, not the limit.
    for wrong in [json!(-1), json!(101), json!(1e300), json!("100"), json!([1])] {
        let reply = app.analyst().gql(query, json!({ "first": wrong })).await;
        assert!(matches!(reply.code(), "BAD_USER_INPUT" | "GRAPHQL_VALIDATION_FAILED"), "{:#}", reply.body);
    }
}

async fn filter_operators_without_an_index_have_a_higher_complexity(app: &TestApp) {
    for (filter, scans) in [
        (json!({ "title": { "eq": "a" } }), 0),
        (json!({ "title": { "contains": "a" } }), 1),
        (json!({ "title": { "startsWith": "a" }, "threadId": { "contains": "b" } }), 2),
        (json!({ "context": { "contains": { "contains": { "startsWith": 1 } } } }), 1),
        (json!({ "or": [{ "title": { "contains": "a" } }, { "not": { "title": { "contains": "b" } } }] }), 2),
    ] {
        let literal = filter.to_string().replace('"', "").replace(": a", ": \"a\"").replace(": b", ": \"b\"");
        let literal = format!("{{ sessions(filter: {literal}) {{ totalCount }} }}");
        let variable = "query($filter: SessionFilter) { sessions(filter: $filter) { totalCount } }";
        assert_eq!(app.analyst().gql(&literal, json!({})).await.cost(), 11 + 100 * scans, "{literal}");
        assert_eq!(app.analyst().gql(variable, json!({ "filter": filter })).await.cost(), 11 + 100 * scans, "{filter}");
    }
    let inner = "query($title: TextFilter) { sessions(filter: {title: $title}) { totalCount } }";
    assert_eq!(app.analyst().gql(inner, json!({ "title": { "contains": "a" } })).await.cost(), 111);
    let nested = "{ users(first: 10) { nodes { sessions(filter: {title: {contains: \"a\"}}) { totalCount } } } }";
    assert_eq!(app.analyst().gql(nested, json!({})).await.cost(), 2 + 10 * 111);
    let search = "{ users(filter: {search: \"a\"}) { totalCount } }";
    assert_eq!(app.analyst().gql(search, json!({})).await.cost(), 111);
}

async fn fragments_and_aliases_count_and_other_operations_do_not(app: &TestApp) {
    let cost = async |query: &str| app.analyst().gql(query, json!({})).await.cost();
    assert_eq!(cost("{ users(first: 10) { ...F } } fragment F on UserConnection { nodes { id ...G } } fragment G on User { username }").await, 2 + 10 * 2);
    assert_eq!(cost("{ a: users(first: 10) { nodes { id } } b: users(first: 10) { nodes { id } } }").await, 2 * 12);
    assert_eq!(cost("{ users(first: 10) { nodes { ... on User { id } ... { username } } } }").await, 2 + 10 * 2);
    assert_eq!(
        cost("{ users(first: 10) { nodes { id @skip(if: true) username @include(if: true) } } }").await,
        2 + 10 * 2
    );
    let body = json!({ "query": "query A { me { id } } query B { users(first: 100) { nodes { sessions(first: 100) { nodes { id title threadId isActive createdAt endedAt } } } } }", "operationName": "A" });
    let request =
        axum::http::Request::post("/graphql").header("content-type", "application/json").header("x-receipt", "1");
    let reply = app.analyst().send(request.body(body.to_string().into()).expect("a request")).await;
    assert_eq!(reply.cost(), 2);
}

async fn a_login_is_allowed_once_per_operation(app: &TestApp) {
    let login = r#"login(input: {username: "vera", password: "wrong"}) { expiresAt }"#;
    for query in [
        format!("mutation {{ a: {login} b: {login} }}"),
        format!("mutation {{ {login} {login} }}"),
        format!("mutation {{ {login} ... {{ b: {login} }} }}"),
        format!("mutation {{ {login} ...F }} fragment F on Mutation {{ b: {login} }}"),
        format!("mutation {{ ...F ...F }} fragment F on Mutation {{ {login} }}"),
        "mutation { refreshToken a: refreshToken }".to_owned(),
        "mutation { createApiToken a: createApiToken }".to_owned(),
    ] {
        let reply = app.anonymous().gql(&query, json!({})).await;
        assert_eq!(reply.code(), "QUERY_TOO_COMPLEX", "{query}: {:#}", reply.body);
        assert!(reply.message().contains("once"), "{}", reply.message());
    }
    let two = format!("mutation A {{ {login} }} mutation B {{ {login} }}");
    let body = json!({ "query": two, "operationName": "A" }).to_string();
    let request = axum::http::Request::post("/graphql").header("content-type", "application/json");
    let reply = app.anonymous().send(request.body(body.into()).expect("a request")).await;
    assert_eq!(reply.code(), "UNAUTHENTICATED", "one runs, and guesses wrong");
}

async fn cyclic_fragments_are_rejected_even_if_unused(app: &TestApp) {
    for query in [
        "{ me { ...F } } fragment F on User { ...F }",
        "{ me { ...F } } fragment F on User { sessions { nodes { user { ...G } } } } fragment G on User { ...F }",
        "{ me { id } } fragment F on User { ...G } fragment G on User { ...F }",
    ] {
        let reply = app.viewer().gql(query, json!({})).await;
        assert_eq!(reply.code(), "GRAPHQL_VALIDATION_FAILED", "{query}");
        assert!(reply.message().ends_with("spreads itself"), "{}", reply.message());
    }
    assert_eq!(app.viewer().gql("{ me { ...Missing } }", json!({})).await.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
}

async fn the_number_of_validation_errors_is_limited(app: &TestApp) {
    let reply = app.viewer().gql(&format!("{{ me {{ {} }} }}", many(0..1_000, |n| format!("x{n} "))), json!({})).await;
    assert_eq!(reply.codes().len(), 20);
}

async fn the_complexity_rate_limit_is_per_principal_and_sets_retry_after(app: &TestApp) {
    let router = app
        .within(|limits| limits.document = DocumentLimits { cost: 100, cost_per_minute: 100, ..limits.document })
        .await;
    let query = "{ rateLimit { limit cost remaining resetAt } users(first: 43) { nodes { __typename } } }";
    let reply = app.analyst().at(&router).gql(query, json!({})).await;
    assert_eq!(reply.cost(), 50);
    assert_eq!(
        reply.data()["rateLimit"],
        json!({ "limit": 100, "cost": 50, "remaining": 50, "resetAt": "2026-03-01T12:00:30.000000Z" })
    );
    let reply = app.analyst().at(&router).gql(query, json!({})).await;
    assert_eq!(reply.data()["rateLimit"]["remaining"], 0);
    let reply = app.analyst().at(&router).gql(query, json!({})).await;
    assert_eq!((reply.code(), reply.sql()), ("RATE_LIMITED", 1), "{:#}", reply.body);
    assert_eq!(reply.body["errors"][0]["extensions"]["retryAfter"], 30);
    assert_eq!(reply.headers["retry-after"], "30");
    app.viewer().at(&router).gql("{ me { id } }", json!({})).await.data();
    assert_eq!(
        app.anonymous().at(&router).gql("{ __typename }", json!({})).await.data(),
        &json!({ "__typename": "Query" })
    );
}

/// `id: [[..]]`, which needs 2 brackets around it.
fn nested_list(depth: usize) -> String {
    format!("{{ user(id: {}{}) {{ id }} }}", "[".repeat(depth), "]".repeat(depth))
}
