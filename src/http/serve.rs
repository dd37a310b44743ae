//! Listens, serves, and stops gracefully: no new requests, those under way are finished.
//! `axum::serve` would do, if it gave up on clients that never finish a request.

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
    per_address::{self, AddressCap},
    read_rate::ReadRate,
    timeouts::{Answer, PatientStream, Turn},
};
use crate::config::HttpSettings;

/// How long requests under way may take after the signal to stop. Longer than any request may take by default.
const GRACE: Duration = Duration::from_secs(15);

/// Bytes that the system takes of an answer before the client takes them. Without it that is megabytes, and for as long
/// nobody sees how fast the client reads.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 * 1024;

/// The signals to stop, listened for from the moment this is made.
#[derive(Debug)]
pub struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Takes over SIGTERM and Ctrl-C from the system, which would end the process at once.
    #[cfg(unix)]
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when one came.
    #[cfg(unix)]
    pub async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Takes over Ctrl-C from the system, which would end the process at once.
    #[cfg(not(unix))]
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when one came.
    #[cfg(not(unix))]
    pub async fn received(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Serves until `stop` is over, then as long as requests are under way, also those whose clients are gone, but not for ever.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    settings: &HttpSettings,
    detached: &TaskTracker,
    stop: impl Future<Output = ()>,
) {
    let server = Server::new(router, settings);
    let places = Arc::new(Semaphore::new(settings.connections));
    let per_address = AddressCap::new(settings);
    let (stopping, _) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            if places.available_permits() == 0 {
                tracing::warn!(connections = settings.connections, "no place for another connection: it has to wait");
            }
            let place = Arc::clone(&places).acquire_owned().await;
            (place, Listener::accept(&mut listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let Some(slot) = per_address.admit(peer.ip()) else {
            per_address::refuse(&stream);
            continue;
        };
        let connection = server.clone().connection(stream, peer, stopping.subscribe());
        tokio::spawn(async move {
            connection.await;
            drop((place, slot));
        });
    }
    tracing::info!("stopping: finishing the requests under way");
    drop(listener);
    stopping.send_replace(());
    let finished = async {
        // Every connection holds a receiver until its end.
        stopping.closed().await;
        detached.close();
        detached.wait().await;
    };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        tracing::warn!("stopped with requests under way");
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Server {
    http: http1::Builder,
    router: TowerToHyperService<Router>,
    header_timeout: Duration,
    read_grace: Duration,
    min_read_bytes_per_second: u32,
}

impl Server {
    /// HTTP/1.1 only: over plain TCP browsers speak nothing else, and a proxy in front has the streams of HTTP/2 to mind.
    fn new(router: Router, settings: &HttpSettings) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            // From the end of an answer to the end of the next headers; `PatientStream` knows when those began.
            .header_read_timeout(settings.idle_timeout.max(settings.header_timeout))
            .max_buf_size(settings.header_bytes);
        Self {
            http,
            router: TowerToHyperService::new(router),
            header_timeout: settings.header_timeout,
            read_grace: settings.body_timeout,
            min_read_bytes_per_second: settings.min_read_bytes_per_second,
        }
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr, mut stopping: watch::Receiver<()>) {
        // An answer is written in one go; waiting for more would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        #[cfg(target_os = "linux")]
        if let Err(error) = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
            tracing::debug!(%error, "cannot set TCP_NOTSENT_LOWAT");
        }
        let turn = Turn::default();
        let reader = ReadRate::new(self.min_read_bytes_per_second, self.read_grace);
        let stream = PatientStream::new(stream, turn.clone(), self.header_timeout, reader);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let our_turn = turn.ours();
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = self.router.call(request);
            async move {
                let response: Response<_> = response.await?;
                let turn = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    our_turn.forever();
                    None
                } else {
                    Some(our_turn)
                };
                Ok::<_, Infallible>(response.map(|body| Answer::new(body, turn)))
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
        // Whoever hangs up or is too slow is nobody to answer.
        if let Err(error) = end {
            tracing::debug!(%error, %peer, "the connection ended early");
        }
    }
}
