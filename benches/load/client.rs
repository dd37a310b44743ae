//! The load generator: HTTP/1.1 over plain TCP connections that stay open. It shares the cores with what it measures,
//! so requests are written beforehand and of an answer only the status and the length are looked at.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, task::JoinSet};

use crate::Result;

/// A request as it goes over the wire, and how long the answer's body has to be.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub request: Vec<u8>,
    pub bytes: usize,
}

/// `POST /graphql`, as a client sends it that keeps its connection.
pub fn post(token: Option<&str>, receipt: bool, body: &str) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let receipt = if receipt { "X-Receipt: 1\r\n" } else { "" };
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nUser-Agent: guardianeye-bench\r\nAccept: application/json\r\n\
         {authorization}{receipt}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// One connection, for one request after the other.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Sends the request and reads the whole answer: its status and its body.
    pub async fn send(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        let mut rest = request;
        while !rest.is_empty() {
            match self.stream.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error.into()),
            }
        }
        let (mut filled, mut answer) = (0, None);
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            match self.stream.try_read(&mut self.buffer[filled..]) {
                Ok(0) => return Err("the server closed a connection in the middle of an answer".into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stream.readable().await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if answer.is_none() {
                answer = head(&self.buffer[..filled])?;
            }
            if let Some(Head { status, start, end }) = answer
                && filled >= end
            {
                return Ok((status, &self.buffer[start..end]));
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Head {
    status: u16,
    /// Where the body begins and where it ends.
    start: usize,
    end: usize,
}

/// What the first bytes of an answer say, once its headers are complete.
fn head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..at])?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)).ok_or("this is not HTTP/1.1")?.parse()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or("an answer came without Content-Length")?;
    let start = at + 4;
    Ok(Some(Head { status, start, end: start + length.1.trim().parse::<usize>()? }))
}

/// What a stretch of load came to.
#[derive(Debug)]
pub struct Stretch {
    pub elapsed: Duration,
    /// How long each request took, in microseconds, in order of length.
    pub micros: Vec<u32>,
}

/// Keeps every connection busy for so long. An answer that is not as expected ends it.
pub async fn load(
    connections: Vec<Connection>,
    exchanges: &Arc<[Exchange]>,
    length: Duration,
) -> Result<(Vec<Connection>, Stretch)> {
    let started = Instant::now();
    let end = started + length;
    let mut callers = JoinSet::new();
    for (place, mut connection) in connections.into_iter().enumerate() {
        let exchanges = Arc::clone(exchanges);
        callers.spawn(async move {
            let mut micros = Vec::with_capacity(4096);
            // Callers begin at different places of the list.
            let mut next = place * 7;
            let mut now = Instant::now();
            while now < end {
                let exchange = &exchanges[next % exchanges.len()];
                next += 1;
                let (status, body) = connection.send(&exchange.request).await?;
                if status != 200 || body.len() != exchange.bytes {
                    return Err(unexpected(status, body, exchange.bytes));
                }
                let after = Instant::now();
                micros.push(u32::try_from((after - now).as_micros()).unwrap_or(u32::MAX));
                now = after;
            }
            Ok((connection, micros))
        });
    }
    let (mut connections, mut micros) = (Vec::new(), Vec::new());
    while let Some(caller) = callers.join_next().await {
        let (connection, times) = caller??;
        connections.push(connection);
        micros.extend(times);
    }
    let elapsed = started.elapsed();
    micros.sort_unstable();
    Ok((connections, Stretch { elapsed, micros }))
}

fn unexpected(status: u16, body: &[u8], bytes: usize) -> Box<dyn std::error::Error + Send + Sync> {
    let begin = String::from_utf8_lossy(&body[..body.len().min(300)]);
    format!("status 200 with {bytes} bytes was expected, but {status} with {} came: {begin}", body.len()).into()
}
