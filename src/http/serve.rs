//! Listens, serves, and stops gracefully: no new requests, those under way are finished.

use std::{future::IntoFuture, net::SocketAddr, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, sync::watch};

/// How long requests under way may take after the signal to stop. Longer than any request may take by default.
const GRACE: Duration = Duration::from_secs(15);

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

    #[cfg(unix)]
    async fn received(mut self) {
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

    #[cfg(not(unix))]
    async fn received(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Serves until the signal to stop.
pub async fn serve(listener: TcpListener, router: Router, signal: StopSignal) -> std::io::Result<()> {
    let (stop, mut stopped) = watch::channel(false);
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            signal.received().await;
            tracing::info!("stopping: finishing the requests under way");
            let _ = stop.send(true);
        })
        .into_future();
    let late = async {
        // An error means the server has ended, and with it the sender.
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        done = server => done,
        () = late => {
            tracing::warn!("stopped with requests under way");
            Ok(())
        }
    }
}
