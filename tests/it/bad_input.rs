//! Whatever is sent gets the right code, never a panic and never the inside of the server.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, on_both};

on_both!(
    bad_documents_and_arguments_get_their_codes,
    a_forged_or_foreign_cursor_is_refused,
    two_authorization_headers_are_no_login,
    a_nul_in_a_variable_is_refused_before_it_reaches_the_database,
    malformed_requests_are_400_with_a_code,
    other_bodies_than_json_are_refused,
    what_is_not_utf8_is_no_json,
    a_post_is_its_body_and_not_its_url,
    unknown_members_of_a_request_and_extensions_are_left_alone,
    a_body_over_the_limit_is_refused,
    deep_documents_do_not_reach_the_parser,
    a_database_that_is_down_is_an_internal_error_without_its_inside
);

async fn bad_documents_and_arguments_get_their_codes(app: &TestApp) {
    for (query, code) in [
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ me { id } }}", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ me }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ me { id(x: 1) } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ users(first: \"ten\") { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ users(first: 0) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ users(first: -1) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ users(first: 101) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ users(last: -5) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ users(first: 1, last: 1) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ users(first: 1, before: \"x\") { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ users(after: \"\") { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ users(after: \"not a cursor\") { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ user(id: \"1\") { id } }", "BAD_USER_INPUT"),
        ("{ user(id: \"' or 1=1 --\") { id } }", "BAD_USER_INPUT"),
        ("{ user(id: \"\\u0000\") { id } }", "BAD_USER_INPUT"),
        ("query A { me { id } } query B { me { id } }", "BAD_USER_INPUT"),
        // In UTC this is the year 10000, which would sort before all others as text.
        (
            "{ auditLogs(filter: {timestamp: {gte: \"9999-12-31T23:59:59-23:59\"}}) { totalCount } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "{ auditLogs(filter: {timestamp: {lt: \"0001-01-01T00:00:00+01:00\"}}) { totalCount } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ] {
        let reply = app.admin().gql(query, json!({})).await;
        assert_eq!(reply.code(), code, "{query}");
        assert_eq!(reply.status, StatusCode::OK, "{query}");
    }
}

async fn a_forged_or_foreign_cursor_is_refused(app: &TestApp) {
    app.session(app.analyst().id(), "one", app.now()).await;
    let reply = app.analyst().gql("{ sessions { pageInfo { endCursor } } }", json!({})).await;
    let cursor = reply.data()["sessions"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    let ask = async |list: &str, cursor: &str| {
        let query = format!("query($after: String) {{ {list}(after: $after) {{ nodes {{ id }} }} }}");
        app.analyst().gql(&query, json!({ "after": cursor })).await
    };
    ask("sessions", &cursor).await.data();
    assert_eq!(ask("users", &cursor).await.code(), "BAD_USER_INPUT");
    assert_eq!(ask("auditLogs", &cursor).await.body["errors"][0]["extensions"]["field"], "after");
    for at in 0..cursor.len() {
        let mut forged = cursor.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("ASCII");
        assert_eq!(ask("sessions", &forged).await.code(), "BAD_USER_INPUT", "{forged}");
    }
    for forged in [&cursor[1..], &cursor[..cursor.len() - 1], &format!("{cursor}A"), "\u{0}", "🛡"] {
        assert_eq!(ask("sessions", forged).await.code(), "BAD_USER_INPUT", "{forged}");
    }
}

async fn two_authorization_headers_are_no_login(app: &TestApp) {
    let token = app.admin().token().to_owned();
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .header("authorization", "Bearer x")
        .body(Body::from(r#"{"query": "{ me { id } }"}"#))
        .expect("a request");
    let reply = app.anonymous().send(request).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
}

async fn a_nul_in_a_variable_is_refused_before_it_reaches_the_database(app: &TestApp) {
    let query = "mutation($input: LoginInput!) { login(input: $input) { expiresAt } }";
    let reply = app.anonymous().gql(query, json!({ "input": { "username": "a\u{0}b", "password": "x" } })).await;
    assert_eq!((reply.code(), reply.status), ("BAD_USER_INPUT", StatusCode::BAD_REQUEST));
}

async fn malformed_requests_are_400_with_a_code(app: &TestApp) {
    for body in [
        "",
        "{",
        "nonsense",
        "null",
        "1",
        "\"text\"",
        "[]",
        r#"[{"query": "{ me { id } }"}]"#,
        "{}",
        r#"{"query": 1}"#,
        r#"{"query": null}"#,
        r#"{"query": "{ me { id } }", "variables": []}"#,
        r#"{"query": "{ me { id } }", "variables": "x"}"#,
        r#"{"query": "{ me { id } }", "operationName": 1}"#,
        r#"{"query": "{ me { id } }", "extensions": []}"#,
        r#"{"query": "{ me { id } }", "extensions": "x"}"#,
        "\u{feff}{\"query\": \"{ me { id } }\"}",
        "{\"query\": \"{ me { id } }\"} {}",
        "query={__typename}",
        "{\"query\": \"\\ud800\"}",
    ] {
        let reply = post(app, "application/json", body.into()).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"), "{body}");
        assert!(reply.body.get("data").is_none(), "{body}");
    }
    let reply = post(app, "application/json", vec![0xff, 0xfe, b'{']).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
}

async fn other_bodies_than_json_are_refused(app: &TestApp) {
    let body = r#"{"query": "{ me { id } }"}"#;
    for content_type in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/graphql",
        "application/graphql+json",
        "application/graphql-response+json",
        "text/json",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json, text/plain",
    ] {
        let reply = post(app, content_type, body.into()).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_USER_INPUT"),
            "{content_type}"
        );
    }
    for content_type in
        ["application/json; charset=utf-8", "Application/JSON; Charset=\"UTF-8\"", "application/json;x=y"]
    {
        assert_eq!(post(app, content_type, body.into()).await.status, StatusCode::OK, "{content_type}");
    }
    let request =
        Request::post("/graphql").header("content-type", "application/json").header("content-type", "text/plain");
    let twice = app.admin().send(request.body(Body::from(body)).expect("a request")).await;
    assert_eq!((twice.status, twice.code()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_USER_INPUT"));
}

async fn what_is_not_utf8_is_no_json(app: &TestApp) {
    for body in [&b"{\"query\": \"{ me { id } } # \xff\"}"[..], b"\xff\xfe{\x00}\x00", b"{\"query\": \"\xc0\x80\"}"] {
        let reply = post(app, "application/json", body.to_vec()).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
    }
}

async fn a_post_is_its_body_and_not_its_url(app: &TestApp) {
    let ask = async |url: &str, body: &str| {
        let request = Request::post(url).header("content-type", "application/json");
        app.admin().send(request.body(Body::from(body.to_owned())).expect("a request")).await
    };
    let reply =
        ask("/graphql?query=%7Bnothing%7D&variables=x&operationName=A", r#"{"query": "{ me { username } }"}"#).await;
    assert_eq!(reply.data()["me"]["username"], "adam");
    assert_eq!(ask("/graphql?query=%7Bme%7Bid%7D%7D", "{}").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ask("/graphql?query=%7Bme%7Bid%7D%7D", "").await.status, StatusCode::BAD_REQUEST);
}

async fn unknown_members_of_a_request_and_extensions_are_left_alone(app: &TestApp) {
    let body = r#"{"query": "{ me { username } }", "extensions": {"a": 1}, "id": 7, "variables": null, "operationName": null}"#;
    assert_eq!(post(app, "application/json", body.into()).await.data()["me"]["username"], "adam");
}

async fn a_body_over_the_limit_is_refused(app: &TestApp) {
    let body = json!({ "query": format!("{{ me {{ id }} }} #{}", "x".repeat(app.services.limits.body_bytes)) });
    let reply = post(app, "application/json", body.to_string().into_bytes()).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::PAYLOAD_TOO_LARGE, "QUERY_TOO_COMPLEX"));
}

async fn deep_documents_do_not_reach_the_parser(app: &TestApp) {
    for query in ["{a".repeat(50_000), format!("{{ a(b: {}", "[".repeat(50_000)), "{a(b:{c:".repeat(20_000)] {
        assert_eq!(app.anonymous().gql(&query, json!({})).await.code(), "QUERY_TOO_COMPLEX");
    }
}

async fn a_database_that_is_down_is_an_internal_error_without_its_inside(app: &TestApp) {
    let token = app.admin().token().to_owned();
    app.services.db.close().await;
    let login = r#"mutation { login(input: {username: "adam", password: "x"}) { expiresAt } }"#;
    let reply = app.anonymous().gql(login, json!({})).await;
    assert_internal(&reply, StatusCode::OK);
    let reply = crate::support::Caller::with_token(app, token).gql("{ me { id } }", json!({})).await;
    assert_internal(&reply, StatusCode::SERVICE_UNAVAILABLE);
    let ready = app.anonymous().send(Request::get("/health/ready").body(Body::empty()).expect("a request")).await;
    assert_eq!((ready.status, ready.body), (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "unavailable" })));
}

fn assert_internal(reply: &Reply, status: StatusCode) {
    assert_eq!((reply.status, reply.code()), (status, "INTERNAL"), "{:#}", reply.body);
    let error = &reply.body["errors"][0];
    assert_eq!(error["message"], "internal error");
    assert_eq!(error["extensions"]["requestId"].as_str(), reply.headers["x-request-id"].to_str().ok());
    let keys: Vec<_> = error["extensions"].as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or_default();
    assert_eq!(keys, ["code", "requestId"]);
}

async fn post(app: &TestApp, content_type: &str, body: Vec<u8>) -> Reply {
    let mut request = Request::post("/graphql");
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    let reply = app.admin().send(request.body(Body::from(body)).expect("a request")).await;
    assert_ne!(reply.body, Value::Null);
    reply
}
