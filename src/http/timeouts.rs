//! How long a connection waits for its client: for the headers of a request, and for an answer to be read (`ReadRate`).
//! Silence between requests is hyper's to measure; here nothing is known of HTTP but whose turn it is.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use super::read_rate::ReadRate;

/// Whose turn it is on a connection: counts the changes, so an odd number means that we are answering.
#[derive(Clone, Debug, Default)]
pub struct Turn(Arc<AtomicU64>);

impl Turn {
    /// Ours, until what is returned is dropped.
    pub fn ours(&self) -> OurTurn {
        self.0.fetch_add(1, Ordering::Relaxed);
        OurTurn(Some(self.clone()))
    }
}

/// While it lives, the client owes us nothing.
#[derive(Debug)]
pub struct OurTurn(Option<Turn>);

impl OurTurn {
    /// The connection no longer speaks HTTP, so no request has to come.
    pub fn forever(mut self) {
        self.0 = None;
    }
}

impl Drop for OurTurn {
    fn drop(&mut self) {
        if let Some(turn) = &self.0 {
            turn.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A response's body that keeps the turn ours until it is sent.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    _turn: Option<OurTurn>,
}

impl Answer {
    pub fn new(body: Body, turn: Option<OurTurn>) -> Self {
        Self { body, _turn: turn }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A deadline that runs only while somebody is waited for.
#[derive(Debug)]
struct Deadline {
    after: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn start(&mut self) {
        self.running.get_or_insert_with(|| Box::pin(sleep(self.after)));
    }

    fn stop(&mut self) {
        self.running = None;
    }

    /// An error when the time is up.
    fn check(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(sleep) = &mut self.running else { return Poll::Pending };
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

/// A connection that gives up on a client who sends its headers, or reads our answer, too slowly.
#[derive(Debug)]
pub struct PatientStream {
    stream: TcpStream,
    turn: Turn,
    /// The turn that was last looked at.
    seen: u64,
    headers: Deadline,
    reader: ReadRate,
}

impl PatientStream {
    /// The first headers are due from now on.
    pub fn new(stream: TcpStream, turn: Turn, headers: Duration, reader: ReadRate) -> Self {
        let mut headers = Deadline { after: headers, running: None };
        headers.start();
        Self { stream, turn, seen: 0, headers, reader }
    }

    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => return self.reader.blocked(cx).map(Err),
            Poll::Ready(Ok(bytes)) => self.reader.taken(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let turn = this.turn.0.load(Ordering::Relaxed);
        if turn != this.seen {
            this.seen = turn;
            this.headers.stop();
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if turn % 2 == 1 {
            return read;
        }
        if read.is_pending() {
            return this.headers.check(cx).map(Err);
        }
        if buffer.filled().len() > before {
            this.headers.start();
        }
        read
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
