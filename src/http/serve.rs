//! Accepts connections and shuts down gracefully: accepts no new requests and completes those in progress. `axum::serve` has no
//! timeouts for connections.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_util::task::TaskTracker;

use super::{
    connection_limit::{self, ConnectionLimit},
    timeouts::{GuardedBody, ResponseState, TimeoutStream},
    transfer_rate::TransferRate,
};
use crate::config::HttpSettings;

/// The time for requests in progress after the stop signal; longer than the default request timeout.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(15);

/// The limit of unsent bytes in the socket buffer. By default the kernel buffers megabytes, which hides the transfer rate of the
/// client.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 * 1024;

/// The stop signals: SIGTERM and Ctrl-C. Listens from its creation on.
#[derive(Debug)]
pub struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Replaces the default action of SIGTERM and Ctrl-C, which ends the process immediately.
    #[cfg(unix)]
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when a signal arrives.
    #[cfg(unix)]
    pub async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Replaces the default action of Ctrl-C, which ends the process immediately.
    #[cfg(not(unix))]
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when a signal arrives.
    #[cfg(not(unix))]
    pub async fn received(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Serves until `stop` completes, then drains: waits for requests in progress and detached mutations, up to a time limit.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    settings: &HttpSettings,
    detached: &TaskTracker,
    stop: impl Future<Output = ()>,
) {
    let server = Server::new(router, settings);
    let permits = Arc::new(Semaphore::new(settings.connections));
    let address_limit = ConnectionLimit::new(settings);
    let (stopping, _) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            if permits.available_permits() == 0 {
                tracing::warn!(
                    connections = settings.connections,
                    "the limit of connections is reached: new connections wait (GUARDIANEYE_MAX_CONNECTIONS)"
                );
            }
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, Listener::accept(&mut listener).await)
        };
        let (permit, (stream, peer)) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let Some(address_permit) = address_limit.acquire(peer.ip()) else {
            connection_limit::reject(&stream);
            continue;
        };
        let connection = server.clone().connection(stream, peer, stopping.subscribe());
        tokio::spawn(async move {
            connection.await;
            drop((permit, address_permit));
        });
    }
    tracing::info!("stopping: completing the requests in progress");
    drop(listener);
    stopping.send_replace(());
    let finished = async {
        // Each connection holds a receiver until it ends.
        stopping.closed().await;
        detached.close();
        detached.wait().await;
    };
    if tokio::time::timeout(SHUTDOWN_GRACE, finished).await.is_err() {
        tracing::warn!("stopped with requests still in progress");
    }
}

/// The settings of each connection.
#[derive(Clone)]
struct Server {
    http: http1::Builder,
    router: TowerToHyperService<Router>,
    header_timeout: Duration,
    transfer_grace: Duration,
    min_bytes_per_second: u32,
}

impl Server {
    /// HTTP/1.1 only: browsers use HTTP/2 only over TLS, which a proxy terminates.
    fn new(router: Router, settings: &HttpSettings) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            // Runs from the end of a response to the end of the next headers, so it is the idle timeout; `TimeoutStream` has the
            // header timeout.
            .header_read_timeout(settings.idle_timeout.max(settings.header_timeout))
            .max_buf_size(settings.header_bytes);
        Self {
            http,
            router: TowerToHyperService::new(router),
            header_timeout: settings.header_timeout,
            transfer_grace: settings.body_timeout,
            min_bytes_per_second: settings.min_read_bytes_per_second,
        }
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr, mut stopping: watch::Receiver<()>) {
        // A response is written without delay, so Nagle's algorithm would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        #[cfg(target_os = "linux")]
        if let Err(error) = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
            tracing::debug!(%error, "cannot set TCP_NOTSENT_LOWAT");
        }
        let responses = ResponseState::default();
        let transfer_rate = TransferRate::new(self.min_bytes_per_second, self.transfer_grace);
        let stream = TimeoutStream::new(stream, responses.clone(), self.header_timeout, transfer_rate);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let guard = responses.start();
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = self.router.call(request);
            async move {
                let response: Response<_> = response.await?;
                let guard = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    guard.upgraded();
                    None
                } else {
                    Some(guard)
                };
                Ok::<_, Infallible>(response.map(|body| GuardedBody::new(body, guard)))
            }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let end = tokio::select! {
            end = connection.as_mut() => end,
            _ = stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // The client disconnected or a timeout elapsed.
        if let Err(error) = end {
            tracing::debug!(%error, %peer, "the connection ended early");
        }
    }
}
