//! What a client does to its connection: nothing, too slowly, too much, twice at once. Over real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use guardianeye::{
    config::HttpSettings,
    graphql::GraphqlApi,
    http::{self, App},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::support::{Backend, TestApp};

/// Long enough for a slow machine, and told apart from the short time-outs.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

const LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn headers_that_never_end_close_the_connection() {
    let settings = HttpSettings { header_timeout: SHORT, ..patient() };
    with_server(settings, async |_, address| {
        for start in ["", "GET /health/live HTTP/1.1\r\n"] {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            let begun = Instant::now();
            stream.write_all(start.as_bytes()).await.expect("writes");
            // A byte now and then does not help.
            let drip = async {
                loop {
                    tokio::time::sleep(SHORT / 10).await;
                    if !start.is_empty() && stream.write_all(b"x").await.is_err() {
                        break;
                    }
                    if is_closed(&mut stream).await {
                        break;
                    }
                }
            };
            timeout(LONG / 2, drip).await.expect("closed in time");
            assert!(begun.elapsed() >= SHORT, "{start:?}: {:?}", begun.elapsed());
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_request_has_as_much_time_for_its_headers_as_the_first() {
    let settings = HttpSettings { header_timeout: SHORT, ..patient() };
    with_server(settings, async |_, address| {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        assert!(ask(&mut stream, LIVE).await.starts_with("HTTP/1.1 200 OK"));
        tokio::time::sleep(SHORT * 2).await;
        assert!(ask(&mut stream, LIVE).await.starts_with("HTTP/1.1 200 OK"), "silence between requests is no slowness");
        stream.write_all(b"GET /health/live HTTP/1.1\r\n").await.expect("writes");
        assert_eq!(timeout(LONG / 2, rest(&mut stream)).await.expect("closed in time"), "");
    })
    .await;
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let settings = HttpSettings { header_timeout: SHORT, idle_timeout: SHORT, ..patient() };
    with_server(settings, async |_, address| {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        ask(&mut stream, LIVE).await;
        let begun = Instant::now();
        assert_eq!(timeout(LONG / 2, rest(&mut stream)).await.expect("closed in time"), "");
        assert!(begun.elapsed() >= SHORT / 2);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_told_so_and_cut_off() {
    let settings = HttpSettings { body_timeout: SHORT, ..patient() };
    with_server(settings, async |_, address| {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let head =
            "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.expect("writes");
        let answer = timeout(LONG / 2, rest(&mut stream)).await.expect("closed in time");
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.contains(r#""code":"TIMEOUT""#), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn too_large_or_too_many_headers_are_refused() {
    with_server(HttpSettings { header_bytes: 8_192, ..patient() }, async |_, address| {
        for (headers, status) in [
            (format!("X-Large: {}\r\n", "x".repeat(7_000)), "200"),
            (format!("X-Large: {}\r\n", "x".repeat(9_000)), "431"),
            ("X-Many: 1\r\n".repeat(90), "200"),
            ("X-Many: 1\r\n".repeat(101), "431"),
        ] {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            let request = format!("GET /health/live HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
            let answer = ask(&mut stream, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn requests_in_one_breath_are_answered_in_their_order() {
    let trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    with_server(HttpSettings { trusted_proxies, ..patient() }, async |_, address| {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let names = ["one", "two", "three"];
        let requests: String =
            names.map(|name| LIVE.replace("Host", &format!("X-Request-Id: {name}\r\nHost"))).concat();
        stream.write_all(requests.as_bytes()).await.expect("writes");
        let mut answers = String::new();
        while answers.matches(r#"{"status":"ok"}"#).count() < names.len() {
            answers.push_str(&read(&mut stream).await);
        }
        let order = names.map(|name| answers.find(&format!("x-request-id: {name}\r\n")).expect(name));
        assert!(order.is_sorted(), "{answers}");
    })
    .await;
}

#[tokio::test]
async fn one_connection_too_many_waits_for_another_to_end() {
    with_server(HttpSettings { connections: 1, ..patient() }, async |_, address| {
        let mut first = TcpStream::connect(address).await.expect("connects");
        ask(&mut first, LIVE).await;
        let mut second = TcpStream::connect(address).await.expect("connects to the queue");
        second.write_all(LIVE.as_bytes()).await.expect("writes");
        assert!(timeout(SHORT, read(&mut second)).await.is_err(), "the place is taken");
        drop(first);
        assert!(timeout(LONG / 2, read(&mut second)).await.expect("its turn").starts_with("HTTP/1.1 200 OK"));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let settings = HttpSettings { body_timeout: SHORT, connections: 1, ..patient() };
    with_server(settings, async |app, address| {
        // Far more than the sockets' buffers hold.
        let owner = app.viewer().id();
        for number in 0..20 {
            app.session(owner, &"x".repeat(200 + number), app.now()).await;
        }
        let fields = ["a", "b", "c", "d", "e"]
            .map(|alias| format!("{alias}: sessions(first: 20) {{ nodes {{ id title threadId context }} }} "))
            .concat();
        let body = serde_json::json!({ "query": format!("{{ me {{ {fields} }} }}") }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            app.viewer().token(),
            body.len()
        );
        let deaf = TcpStream::connect(address).await.expect("connects");
        let (_unread, mut writing) = deaf.into_split();
        let asking = tokio::spawn(async move { while writing.write_all(request.as_bytes()).await.is_ok() {} });
        // The one place becomes free although the first client never hangs up.
        let mut second = TcpStream::connect(address).await.expect("connects to the queue");
        second.write_all(LIVE.as_bytes()).await.expect("writes");
        assert!(timeout(LONG, read(&mut second)).await.expect("its turn").starts_with("HTTP/1.1 200 OK"));
        asking.abort();
    })
    .await;
}

/// Waits for everything longer than any test does.
fn patient() -> HttpSettings {
    HttpSettings { header_timeout: LONG, body_timeout: LONG, idle_timeout: LONG, ..HttpSettings::default() }
}

async fn with_server(settings: HttpSettings, story: impl AsyncFnOnce(&TestApp, SocketAddr)) {
    TestApp::run(Backend::Sqlite, async |app| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = App {
            api: GraphqlApi::default(),
            services: Arc::new(app.services.clone()),
            http: Arc::new(settings.clone()),
        };
        let detached = app.services.detached.clone();
        let server: JoinHandle<()> = tokio::spawn(async move {
            http::serve(listener, router.router(), &settings, &detached, std::future::pending()).await;
        });
        story(app, address).await;
        server.abort();
    })
    .await;
}

/// Sends a request and reads what comes at once.
async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("writes");
    read(stream).await
}

async fn read(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 65_536];
    let length = stream.read(&mut buffer).await.expect("reads");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// Everything until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    matches!(timeout(Duration::from_millis(1), stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
}
