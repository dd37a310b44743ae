//! Clients that read an answer slowly, and clients with very many connections. Over real sockets.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Bytes, routing::get};
use guardianeye::{config::HttpSettings, http};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};

/// More than any buffer of the system holds.
const ANSWER_BYTES: usize = 32 << 20;
/// How long a reader may be too slow.
const GRACE: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_reader_below_the_minimum_rate_is_cut_off_although_it_reads_on() {
    let settings =
        HttpSettings { body_timeout: GRACE, min_read_bytes_per_second: 1_000_000_000, ..HttpSettings::default() };
    let read = read_slowly(settings, 16 << 10).await;
    assert!(read < ANSWER_BYTES / 2, "{read} bytes of the answer were read");
}

#[tokio::test]
async fn a_reader_above_the_minimum_rate_gets_the_whole_answer_however_long_that_takes() {
    let settings = HttpSettings { body_timeout: GRACE, ..HttpSettings::default() };
    let read = read_slowly(settings, 256 << 10).await;
    assert!(read > ANSWER_BYTES, "{read} bytes of the answer were read");
}

#[tokio::test]
async fn one_connection_too_many_of_an_address_is_refused_until_another_ends() {
    let settings = HttpSettings { connections_per_address: Some(2), ..HttpSettings::default() };
    let address = serve(settings).await;
    let mut open = [connect(address).await, connect(address).await];
    for stream in &mut open {
        assert!(ask(stream).await.starts_with("HTTP/1.1 200 OK"));
    }
    let refused = ask(&mut connect(address).await).await;
    assert!(refused.starts_with("HTTP/1.1 429 Too Many Requests"), "{refused}");
    assert!(refused.contains("GUARDIANEYE_CONNECTIONS_PER_ADDRESS"), "{refused}");
    drop(open);
    let admitted = async {
        while !ask(&mut connect(address).await).await.starts_with("HTTP/1.1 200 OK") {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, admitted).await.expect("a place becomes free");
}

/// The bytes that came until the end of the connection, read one piece after the other with pauses.
async fn read_slowly(settings: HttpSettings, piece: usize) -> usize {
    let address = serve(settings).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 << 10).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("connects");
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.expect("writes");
    let (mut buffer, mut read) = (vec![0; piece], 0);
    let reading = async {
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            read += length;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, reading).await.expect("the connection ends");
    read
}

async fn serve(settings: HttpSettings) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let answer = Bytes::from(vec![b'x'; ANSWER_BYTES]);
    let router =
        Router::new().route("/small", get(async || "small")).route("/large", get(async move || answer.clone()));
    let detached = tokio_util::task::TaskTracker::new();
    tokio::spawn(async move { http::serve(listener, router, &settings, &detached, std::future::pending()).await });
    address
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("connects")
}

/// The first piece of the answer, if any comes.
async fn ask(stream: &mut TcpStream) -> String {
    let _ = stream.write_all(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut buffer = vec![0; 4_096];
    let length = stream.read(&mut buffer).await.unwrap_or_default();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}
