//! The HTTP surface: media types and status codes by the GraphQL over HTTP specification, health, request ids.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::json;

use crate::support::{Reply, TestApp, on_both};

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

on_both!(
    the_answer_comes_in_the_media_type_that_accept_asks_for,
    what_was_not_executed_has_no_data_and_is_400_only_in_the_new_media_type,
    a_get_queries_and_never_changes,
    a_get_may_leave_out_what_it_does_not_need,
    a_refusal_comes_in_the_media_type_that_accept_asks_for,
    health_says_whether_the_process_and_its_database_work
);

async fn the_answer_comes_in_the_media_type_that_accept_asks_for(app: &TestApp) {
    for (accept, content_type) in [
        (None, Some("application/json")),
        (Some("*/*"), Some("application/json")),
        (Some("application/*"), Some("application/json")),
        (Some("application/json"), Some("application/json")),
        (Some(GRAPHQL_RESPONSE), Some(GRAPHQL_RESPONSE)),
        (Some("application/graphql-response+json, application/json;q=0.9"), Some(GRAPHQL_RESPONSE)),
        (Some("text/html, */*;q=0.1"), Some("application/json")),
        (Some("text/html"), None),
        (Some("application/json;q=0"), None),
    ] {
        let reply = post(app, accept, "{ me { username } }").await;
        match content_type {
            Some(expected) => {
                assert_eq!(reply.status, StatusCode::OK, "{accept:?}");
                assert_eq!(reply.headers["content-type"], format!("{expected}; charset=utf-8"), "{accept:?}");
                assert_eq!(reply.body["data"]["me"]["username"], "vera");
            }
            None => assert_eq!((reply.status, reply.code()), (StatusCode::NOT_ACCEPTABLE, "BAD_USER_INPUT")),
        }
    }
}

async fn what_was_not_executed_has_no_data_and_is_400_only_in_the_new_media_type(app: &TestApp) {
    for query in ["{", "{ nothing }"] {
        for (accept, status) in [("application/json", StatusCode::OK), (GRAPHQL_RESPONSE, StatusCode::BAD_REQUEST)] {
            let reply = post(app, Some(accept), query).await;
            assert_eq!(reply.status, status, "{query} as {accept}");
            assert!(reply.body.get("data").is_none(), "{query} as {accept}");
        }
    }
    let reply = post(app, Some(GRAPHQL_RESPONSE), "{ users { nodes { id } } }").await;
    assert_eq!((reply.status, reply.code()), (StatusCode::OK, "FORBIDDEN"));
    assert_eq!(reply.body["data"], json!({ "users": null }));
}

async fn a_get_queries_and_never_changes(app: &TestApp) {
    let reply = get(app, "query=query%20A(%24id%3AID!)%7Buser(id%3A%24id)%7Busername%7D%7D%20query%20B%7Bme%7Bid%7D%7D&operationName=A&variables=VARS"
        .replace("VARS", &format!("%7B%22id%22%3A%22{}%22%7D", app.viewer().id())).as_str()).await;
    assert_eq!(reply.data()["user"]["username"], "vera");
    let mutation = "query=mutation%7Blogin(input%3A%7Busername%3A%22vera%22%2Cpassword%3A%22x%22%7D)%7BexpiresAt%7D%7D";
    let reply = get(app, mutation).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"));
    assert_eq!(reply.headers["allow"], "POST");
    for (bad, field) in [
        ("", "query"),
        ("query=%7Bme%7Bid%7D%7D&variables=x", "variables"),
        ("query=%7Bme%7Bid%7D%7D&variables=%5B%5D", "variables"),
        ("query=%7Bme%7Bid%7D%7D&extensions=x", "extensions"),
        ("query=%7Bme%7Bid%7D%7D&extensions=1", "extensions"),
    ] {
        let reply = get(app, bad).await;
        assert_eq!(
            (reply.status, &reply.body["errors"][0]["extensions"]["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{bad}"
        );
    }
}

async fn a_get_may_leave_out_what_it_does_not_need(app: &TestApp) {
    for url in [
        "",
        "&variables=",
        "&variables=null",
        "&operationName=",
        "&extensions=",
        "&extensions=%7B%22a%22%3A1%7D",
        "&other=1",
    ] {
        assert_eq!(
            get(app, &format!("query=%7Bme%7Busername%7D%7D{url}")).await.data()["me"]["username"],
            "vera",
            "{url}"
        );
    }
    assert_eq!(get(app, "query=").await.code(), "GRAPHQL_PARSE_FAILED");
    // What is no UTF-8 in a URL is replaced, as everywhere on the web; there is no such letter in GraphQL.
    assert_eq!(get(app, "query=%FF").await.code(), "GRAPHQL_PARSE_FAILED");
    for bad in ["query=%7Bme%7Bid%7D%7D&query=%7Bme%7Bid%7D%7D", "query=%7Bme%7Bid%7D%7D&operationName=Other"] {
        let reply = get(app, bad).await;
        assert_eq!(reply.code(), "BAD_USER_INPUT", "{bad}");
        assert!(reply.body.get("data").is_none(), "{bad}");
    }
}

async fn a_refusal_comes_in_the_media_type_that_accept_asks_for(app: &TestApp) {
    for (content_type, body, status) in
        [("text/plain", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE), ("application/json", "{", StatusCode::BAD_REQUEST)]
    {
        let request = Request::post("/graphql").header("content-type", content_type).header("accept", GRAPHQL_RESPONSE);
        let reply = app.anonymous().send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["content-type"], format!("{GRAPHQL_RESPONSE}; charset=utf-8"));
        assert_eq!(reply.headers["vary"], "accept");
    }
}

async fn health_says_whether_the_process_and_its_database_work(app: &TestApp) {
    for path in ["/health/live", "/health/ready"] {
        let reply = app.anonymous().send(Request::get(path).body(Body::empty()).expect("a request")).await;
        assert_eq!((reply.status, reply.body), (StatusCode::OK, json!({ "status": "ok" })));
    }
}

async fn post(app: &TestApp, accept: Option<&str>, query: &str) -> Reply {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    let body = json!({ "query": query }).to_string();
    app.viewer().send(request.body(Body::from(body)).expect("a request")).await
}

async fn get(app: &TestApp, query: &str) -> Reply {
    let request = Request::get(format!("/graphql?{query}")).body(Body::empty()).expect("a request");
    app.viewer().send(request).await
}
