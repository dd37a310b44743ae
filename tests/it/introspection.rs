//! Introspection: who may use it, its limits, and validation messages for principals who may not.

use guardianeye::config::Introspection;
use serde_json::json;

use crate::support::{TestApp, many, on_both};

/// `getIntrospectionQuery()` of the npm package `graphql` 16 with every option that this server's library knows, as
/// GraphiQL and Relay's compiler send it.
const FULL: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf
        fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
            type { ...TypeRef } isDeprecated deprecationReason }
        inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

const SHORT: &str = "{ __schema { queryType { name } } }";
const BY_NAME: &str = "{ ...F } fragment F on Query { t: __type(name: \"User\") { name } }";

on_both!(
    introspection_queries_of_graphiql_and_relay_are_within_the_limits,
    introspection_follows_the_setting,
    validation_errors_name_nothing_of_a_schema_that_is_not_public,
    introspection_has_a_complexity_limit,
    nested_member_lists_in_introspection_are_rejected
);

async fn introspection_queries_of_graphiql_and_relay_are_within_the_limits(app: &TestApp) {
    let reply = app.viewer().gql(FULL, json!({})).await;
    assert!(reply.data()["__schema"]["types"].as_array().expect("types").len() > 20);
    assert!(reply.cost() < 10_000, "it costs {}", reply.cost());
    assert_eq!(reply.sql(), 1);
}

async fn introspection_follows_the_setting(app: &TestApp) {
    for (setting, anonymous, viewer) in [
        (Introspection::Public, None, None),
        (Introspection::SignedIn, Some("UNAUTHENTICATED"), None),
        (Introspection::Off, Some("FORBIDDEN"), Some("FORBIDDEN")),
    ] {
        let router = app.within(|limits| limits.document.introspection = setting).await;
        for query in [SHORT, BY_NAME] {
            for (caller, expected) in [(app.anonymous(), anonymous), (app.viewer(), viewer)] {
                let reply = caller.at(&router).gql(query, json!({})).await;
                assert_eq!(reply.codes().first().copied(), expected, "{setting:?}: {:#}", reply.body);
                assert_eq!(reply.body.get("data").is_some(), expected.is_none(), "{:#}", reply.body);
            }
        }
        let reply = app.anonymous().at(&router).gql("{ __typename }", json!({})).await;
        assert_eq!(reply.data(), &json!({ "__typename": "Query" }));
    }
}

async fn validation_errors_name_nothing_of_a_schema_that_is_not_public(app: &TestApp) {
    let router = app.within(|limits| limits.document.introspection = Introspection::SignedIn).await;
    for query in [
        "{ sesions { nodes { id } } }",
        "{ user(di: 1) { id } }",
        "mutation { login(input: {}) { accessToken } }",
        "{ me }",
    ] {
        let reply = app.anonymous().at(&router).gql(query, json!({})).await;
        for error in reply.body["errors"].as_array().expect("errors") {
            assert_eq!(error["message"], "validation failed (sign in for details)");
            assert!(error["locations"][0]["line"].is_u64());
            assert_eq!(error["extensions"], json!({ "code": "GRAPHQL_VALIDATION_FAILED" }));
        }
    }
    let reply = app.viewer().at(&router).gql("{ sesions { nodes { id } } }", json!({})).await;
    assert_eq!(reply.message(), r#"Unknown field "sesions" on type "Query". Did you mean "sessions", "session"?"#);
}

async fn introspection_has_a_complexity_limit(app: &TestApp) {
    let arguments =
        many(0..15, |n| format!("a{n}: args {{ name description defaultValue isDeprecated deprecationReason }} "));
    let types = many(0..15, |n| format!("t{n}: types {{ fields {{ {arguments} }} }} "));
    let query = format!("{{ __schema {{ {types} }} }}");
    let reply = app.viewer().gql(&query, json!({})).await;
    assert_eq!(reply.code(), "QUERY_TOO_COMPLEX");
    assert!(reply.message().contains("MAX_COST"), "{}", reply.message());
}

async fn nested_member_lists_in_introspection_are_rejected(app: &TestApp) {
    for query in [
        "{ __schema { types { fields { type { fields { type { name } } } } } } }",
        "{ __type(name: \"User\") { ...T } } fragment T on __Type { fields { type { possibleTypes { name } } } }",
        "{ __type(name: \"Query\") { fields { args { type { ofType { inputFields { name } } } } } } }",
        "{ __type(name: \"User\") { interfaces { ... { fields { name } } } } }",
    ] {
        let reply = app.viewer().gql(query, json!({})).await;
        assert_eq!(reply.code(), "QUERY_TOO_COMPLEX", "{query}");
        assert!(reply.message().contains("must not be nested in another list of members"), "{}", reply.message());
        assert!(reply.body.get("data").is_none());
    }
    for query in [
        "{ __type(name: \"User\") { fields { type { name ofType { name } } args { type { name enumValues { name } } } } inputFields { name } } }",
        "{ a: __type(name: \"User\") { fields { name } } b: __type(name: \"Session\") { fields { name } } }",
    ] {
        app.viewer().gql(query, json!({})).await.data();
    }
}
