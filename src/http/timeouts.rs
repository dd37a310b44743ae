//! Connection timeouts: the header timeout, from the first byte of a request, and the minimum transfer rate of responses.
//! hyper has one timer for the idle time and the headers together, which serves as the idle timeout (decision record 014).

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

use super::transfer_rate::TransferRate;

/// Whether a response is in progress on a connection. Counts the changes: odd while a response is in progress.
#[derive(Clone, Debug, Default)]
pub struct ResponseState(Arc<AtomicU64>);

impl ResponseState {
    /// A response is in progress until the returned guard is dropped.
    pub fn start(&self) -> ResponseInProgress {
        self.0.fetch_add(1, Ordering::Relaxed);
        ResponseInProgress(Some(self.clone()))
    }
}

/// No header timeout runs while this guard exists.
#[derive(Debug)]
pub struct ResponseInProgress(Option<ResponseState>);

impl ResponseInProgress {
    /// Disables the header timeout: after an upgrade the connection carries another protocol.
    pub fn upgraded(mut self) {
        self.0 = None;
    }
}

impl Drop for ResponseInProgress {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A response body that holds the guard until it is sent.
#[derive(Debug)]
pub struct GuardedBody {
    body: Body,
    _guard: Option<ResponseInProgress>,
}

impl GuardedBody {
    pub fn new(body: Body, guard: Option<ResponseInProgress>) -> Self {
        Self { body, _guard: guard }
    }
}

impl HttpBody for GuardedBody {
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

/// A timeout that can be started and stopped.
#[derive(Debug)]
struct Timeout {
    after: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Timeout {
    fn start(&mut self) {
        self.running.get_or_insert_with(|| Box::pin(sleep(self.after)));
    }

    fn stop(&mut self) {
        self.running = None;
    }

    /// An error when the timeout has elapsed.
    fn check(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(sleep) = &mut self.running else { return Poll::Pending };
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

/// A connection that fails with an error when a timeout elapses.
#[derive(Debug)]
pub struct TimeoutStream {
    stream: TcpStream,
    responses: ResponseState,
    /// The state at the last read.
    last_state: u64,
    headers: Timeout,
    transfer_rate: TransferRate,
}

impl TimeoutStream {
    /// Starts the header timeout of the first request.
    pub fn new(stream: TcpStream, responses: ResponseState, headers: Duration, transfer_rate: TransferRate) -> Self {
        let mut headers = Timeout { after: headers, running: None };
        headers.start();
        Self { stream, responses, last_state: 0, headers, transfer_rate }
    }

    fn check_transfer_rate(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => return self.transfer_rate.write_blocked(cx).map(Err),
            Poll::Ready(Ok(bytes)) => self.transfer_rate.written(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl AsyncRead for TimeoutStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let state = this.responses.0.load(Ordering::Relaxed);
        if state != this.last_state {
            this.last_state = state;
            this.headers.stop();
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if state % 2 == 1 {
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

impl AsyncWrite for TimeoutStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.check_transfer_rate(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.check_transfer_rate(cx, written)
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
