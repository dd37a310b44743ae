//! Mutations go on when their client goes away; queries do not.

use std::{future::poll_fn, io::Write, net::TcpStream, task::Poll};

use axum::{body::Body, http::Request};
use guardianeye::{config::HttpSettings, http::serve};
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot};
use tower::ServiceExt;

use crate::support::{LOGIN, TestApp, on_both};

on_both!(a_mutation_is_done_when_its_client_goes_away, the_server_stops_after_the_mutations_whose_clients_are_gone);

async fn a_mutation_is_done_when_its_client_goes_away(app: &TestApp) {
    let title = "sent and gone";
    let query = format!("mutation {{ createSession(input: {{title: \"{title}\"}}) {{ session {{ id }} }} }}");
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", app.analyst().token()))
        .body(Body::from(json!({ "query": query }).to_string()))
        .expect("a request");
    tokio::select! {
        biased;
        _ = app.router.clone().oneshot(request) => panic!("it does not wait"),
        () = std::future::ready(()) => {}
    }
    let sessions =
        "{ me { sessions { nodes { title } } } auditLogs(filter: {action: {eq: SESSION_CREATED}}) { totalCount } }";
    app.services.detached.close();
    app.services.detached.wait().await;
    let reply = app.analyst().gql(sessions, json!({})).await;
    assert_eq!(
        *reply.data(),
        json!({ "me": { "sessions": { "nodes": [{ "title": title }] } }, "auditLogs": { "totalCount": 1 } })
    );
}

async fn the_server_stops_after_the_mutations_whose_clients_are_gone(app: &TestApp) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let settings = HttpSettings::default();
    let mut server =
        Box::pin(serve(listener, app.router.clone(), &settings, &app.services.detached, async { drop(stopped.await) }));
    // Nobody is hashed before this is dropped.
    let mut places = Vec::new();
    for _ in 0..app.services.limits.hashing_threads {
        places.push(app.services.password_hasher.acquire().await.expect("a place"));
    }
    let body =
        json!({ "query": LOGIN, "variables": { "input": { "username": "vera", "password": "wrong" } } }).to_string();
    let mut client = TcpStream::connect(address).expect("connects");
    write!(client, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("sends");
    drop(client);
    while app.services.detached.is_empty() {
        tokio::select! { () = &mut server => panic!("it was not told to stop"), () = tokio::task::yield_now() => {} }
    }
    stop.send(()).expect("it listens");
    let waits = poll_fn(|cx| Poll::Ready(server.as_mut().poll(cx).is_pending())).await;
    assert!(waits, "a mutation is under way");
    drop(places);
    server.await;
    let failed = "{ auditLogs(filter: {action: {eq: FAILED_LOGIN}}) { totalCount } }";
    assert_eq!(app.analyst().gql(failed, json!({})).await.data()["auditLogs"]["totalCount"], 1);
}
