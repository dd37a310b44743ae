//! Nested queries end to end, from the router to the database and back: requests a second and time, beside the number
//! of SQL statements. On SQLite, and on the PostgreSQL of `TEST_DATABASE_URL` (`make bench` starts one).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::Request};
use guardianeye::{
    auth::Strength,
    clock::Clock,
    config::Limits,
    db::{Db, Settings},
    graphql::Api,
    http::App,
    services::{Client, Services, first_admin, login, seed},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const QUERIES: [(&str, &str); 4] = [
    (
        "20 users x (5 sessions, 10 audit logs)",
        "{ users(first: 20) { nodes { id username email role
            sessions(first: 5) { nodes { id title threadId isActive createdAt } }
            auditLogs(first: 10) { nodes { id action success ipAddress description timestamp } } } } }",
    ),
    (
        "1 user x (5 sessions, 10 audit logs)",
        "{ users(first: 1) { nodes { id username email role
            sessions(first: 5) { nodes { id title threadId isActive createdAt } }
            auditLogs(first: 10) { nodes { id action success ipAddress description timestamp } } } } }",
    ),
    (
        "100 audit logs, each with its user",
        "{ auditLogs(first: 100, filter: {action: {eq: LOGIN}}) { nodes { id timestamp ipAddress user { username } } } }",
    ),
    ("me", "{ me { id username role } }"),
];

const SIZES: seed::Sizes = seed::Sizes { users: 1_000, sessions: 20_000, audit_logs: 200_000 };
const ROUND: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    println!("| database | query | at once | requests/s | p50 ms | p99 ms | statements |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    let folder = tempfile::tempdir().expect("a temporary folder");
    measure(&format!("sqlite:{}", folder.path().join("bench.db").display())).await;
    #[expect(clippy::disallowed_methods, reason = "`make bench` speaks to the bench by this variable")]
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => measure(&url).await,
        Err(_) => eprintln!("TEST_DATABASE_URL is not set: no PostgreSQL was measured (`make bench` starts one)"),
    }
}

async fn measure(url: &str) {
    let db = Db::connect(url, Settings { max_connections: 16, ..Settings::default() }).await.expect("connects");
    db.migrate().await.expect("migrates");
    let services =
        Services::new(db.clone(), Clock::System, Limits::default(), Strength::Cheap).await.expect("the services start");
    first_admin::ensure(&db, &services.hasher, services.clock, None).await.expect("an admin");
    seed::bulk(&db, SIZES, services.clock.now(), &mut |_| {}).await.expect("seeds");
    let login = login::login(&services, &db, &Client::default(), "admin", "admin".into()).await.expect("logs in");
    let token = login.access_token.token;
    let router = App { api: Api::default(), services: Arc::new(services), http: Arc::default() }.router();
    for (name, query) in QUERIES {
        let body = json!({ "query": query }).to_string();
        let statements = ask(&router, &token, &body).await["extensions"]["receipt"]["statements"].clone();
        for at_once in [1, 8] {
            run(&router, &token, &body, at_once, ROUND / 4).await;
            let mut times = run(&router, &token, &body, at_once, ROUND).await;
            times.sort();
            let ms = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1_000.0;
            #[expect(clippy::cast_precision_loss, reason = "far fewer requests than a float holds")]
            let rate = times.len() as f64 / ROUND.as_secs_f64();
            let (p50, p99) = (ms(50), ms(99));
            println!("| {} | {name} | {at_once} | {rate:.0} | {p50:.2} | {p99:.2} | {statements} |", db.kind());
        }
    }
    db.close().await;
}

/// How long each request took that so many callers sent one after the other.
async fn run(router: &Router, token: &str, body: &str, at_once: usize, round: Duration) -> Vec<Duration> {
    let end = Instant::now() + round;
    let callers = (0..at_once).map(|_| {
        let (router, token, body) = (router.clone(), token.to_owned(), body.to_owned());
        tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                let start = Instant::now();
                send(&router, &token, &body).await;
                times.push(start.elapsed());
            }
            times
        })
    });
    let mut times = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        times.extend(caller.await.expect("a caller ends"));
    }
    times
}

async fn ask(router: &Router, token: &str, body: &str) -> Value {
    let answer: Value = serde_json::from_slice(&send(router, token, body).await).expect("JSON");
    assert!(answer.get("errors").is_none(), "{answer}");
    answer
}

async fn send(router: &Router, token: &str, body: &str) -> Vec<u8> {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .header("x-receipt", "1")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body().collect().await.expect("a body").to_bytes().to_vec()
}
