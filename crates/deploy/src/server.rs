//! The HTTP server: one artifact, answered row by row through the same code that trained it.
//!
//! | route | answer |
//! |---|---|
//! | `POST /predict` | `{"model": "<fingerprint>", "predictions": […]}` for `{"records": [{…}, …]}`, `[{…}, …]` or one `{…}` |
//! | `GET /health/live` | 200 as long as the process answers |
//! | `GET /health/ready` | 200 once the golden rows gave their recorded bits in this process; before, or if not, 503 |
//! | `GET /metrics` | Prometheus text format 0.0.4 |
//! | `GET /metadata` | the artifact's manifest: problem, evidence, inputs |
//!
//! A request is answered whole or refused whole. A refusal is `{"error": {"kind", "message"}}`, with `record` (counted
//! from zero) and `column` where there is one:
//!
//! | status | when |
//! |---|---|
//! | 400 | the body is no JSON: line and column |
//! | 404, 405 | no such route, no such method there |
//! | 408 | the answer took longer than [`Server::timeout`] |
//! | 413 | more bytes than [`Server::body_limit`], more records than [`Server::max_records`] |
//! | 415 | a content type other than JSON; none at all is taken as JSON |
//! | 422 | a value that the input contract or a stage refuses; a nested value; a name twice in one record |
//! | 503 | not ready |
//!
//! Values are numbers, texts, `true`, `false` and `null`. What becomes of missing values, new levels and columns too many
//! is the pipeline's policy; `/metrics` counts them. Answers keep their bits: a number in JSON reads back as the same f64.

mod metrics;
mod records;
mod refusal;
mod routes;
#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::serve::ListenerExt;
use stagewise_core::error::{Error, ParameterError, Result};
use stagewise_core::task::Task;
use tokio::sync::watch;

use crate::artifact::Artifact;
use routes::{Shared, router};

/// Serves an artifact. Nothing happens before [`start`](Self::start) or [`serve`](Self::serve).
#[derive(Debug)]
#[must_use = "a server does nothing until `start` or `serve`"]
pub struct Server<T: Task> {
    artifact: Artifact<T>,
    address: String,
    limits: Limits,
    grace: Duration,
}

/// What a request may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

impl<T: Task> Server<T> {
    /// A server for this artifact.
    pub fn new(artifact: Artifact<T>) -> Self {
        let limits = Limits { records: 10_000, bytes: 8 << 20, time: Duration::from_secs(30) };
        Self { artifact, address: "127.0.0.1:8080".into(), limits, grace: Duration::from_secs(10) }
    }

    /// Host and port for [`start`](Self::start); port 0 takes a free one. Default `127.0.0.1:8080`.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// The most records of one request, at least 1; default 10,000.
    pub fn max_records(mut self, records: usize) -> Self {
        self.limits.records = records;
        self
    }

    /// The most bytes of one request's body, at least 1; default 8 MiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// The longest that a request may take from its head to its answer, more than 0; default 30 seconds.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.limits.time = time;
        self
    }

    /// How long requests under way may go on once the server is stopped; default 10 seconds.
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// Binds the address, serves on threads of its own, and returns once the golden rows have been replayed, whichever way
    /// that went: see [`RunningServer::is_ready`].
    ///
    /// # Errors
    /// [`ParameterError`] for a limit out of range; an address that cannot be bound; threads that cannot be started.
    pub fn start(self) -> Result<RunningServer> {
        self.check()?;
        let io = |e| Error::io(&self.address, e);
        let listener = TcpListener::bind(&self.address).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_io()
            .enable_time()
            .thread_name("stagewise-server")
            .build()
            .map_err(Error::external)?;
        let shared = Arc::new(Shared::new(self.artifact, self.limits)?);
        let readiness = shared.readiness.clone();
        let (stop, mut stopped) = watch::channel(false);
        let (proved, wait) = mpsc::channel();
        let (name, grace) = (self.address, self.grace);
        let serve = move || {
            let served = runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).map_err(|e| Error::io(name, e))?;
                let tell = move || {
                    let _ = proved.send(());
                };
                tokio::spawn(prove(shared.clone(), tell));
                let stop = async move {
                    // Should the sender be gone without a word, that too means stop.
                    let _ = stopped.wait_for(|stop| *stop).await;
                };
                run(shared, listener, grace, stop).await
            });
            runtime.shutdown_background();
            served
        };
        let thread =
            std::thread::Builder::new().name("stagewise-server".into()).spawn(serve).map_err(Error::external)?;
        let mut running = RunningServer { address, stop, readiness, thread: Some(thread) };
        match wait.recv() {
            Ok(()) => Ok(running),
            // The thread ended before it could replay.
            Err(_) => running.join().map(|()| running),
        }
    }

    /// Serves on the caller's tokio runtime until the future is dropped.
    ///
    /// # Errors
    /// [`ParameterError`] for a limit out of range.
    pub async fn serve(self, listener: tokio::net::TcpListener) -> Result<()> {
        self.serve_until(listener, std::future::pending()).await
    }

    /// Serves on the caller's tokio runtime until `stop` is ready, then lets requests under way end within
    /// [`grace`](Self::grace).
    ///
    /// # Errors
    /// [`ParameterError`] for a limit out of range.
    pub async fn serve_until(
        self,
        listener: tokio::net::TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        self.check()?;
        let shared = Arc::new(Shared::new(self.artifact, self.limits)?);
        tokio::spawn(prove(shared.clone(), || ()));
        run(shared, listener, self.grace, stop).await
    }

    fn check(&self) -> Result<()> {
        let Limits { records, bytes, time } = self.limits;
        ParameterError::check(records > 0, "max_records", records, "at least 1")?;
        ParameterError::check(bytes > 0, "body_limit", bytes, "at least 1")?;
        ParameterError::check(!time.is_zero(), "timeout", format!("{time:?}"), "more than 0")
    }
}

/// A server on threads of its own. Dropping it stops it as [`stop`](Self::stop) does.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    readiness: Arc<Readiness>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl RunningServer {
    /// The address it is bound to, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the golden rows gave their recorded bits in this process.
    pub fn is_ready(&self) -> bool {
        matches!(self.readiness.get(), Some(Ok(())))
    }

    /// Takes no more connections, lets requests under way end within [`Server::grace`], and returns.
    ///
    /// # Errors
    /// What ended the server before, if anything did.
    pub fn stop(mut self) -> Result<()> {
        self.stop.send_replace(true);
        self.join()
    }

    /// Waits until the server ends by itself, which it does not in good order: for a program that does nothing else.
    ///
    /// # Errors
    /// What ended the server.
    pub fn wait(mut self) -> Result<()> {
        self.join()
    }

    fn join(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(served)) => served,
            Some(Err(_)) => Err(Error::external("the server's thread panicked")),
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        // A destructor has nobody to tell.
        let _ = self.join();
    }
}

/// Empty until the golden rows have been replayed; then whether they gave their bits, or why not.
pub(crate) type Readiness = OnceLock<std::result::Result<(), String>>;

/// Replays the golden rows, writes the outcome down, then calls `then`.
async fn prove<T: Task>(shared: Arc<Shared<T>>, then: impl FnOnce()) {
    let readiness = shared.readiness.clone();
    let outcome = match tokio::task::spawn_blocking(move || shared.artifact.replay()).await {
        Ok(replayed) => replayed.map_err(|e| e.to_string()),
        Err(_) => Err("replaying the golden rows panicked".into()),
    };
    let _ = readiness.set(outcome);
    then();
}

async fn run<T: Task>(
    shared: Arc<Shared<T>>,
    listener: tokio::net::TcpListener,
    grace: Duration,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let (tell, mut told) = watch::channel(false);
    let stop = async move {
        stop.await;
        tell.send_replace(true);
    };
    // Small answers must not wait for the acknowledgement of a packet before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let served = axum::serve(listener, router(shared)).with_graceful_shutdown(stop);
    let cut = async move {
        let _ = told.wait_for(|stop| *stop).await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = served.into_future() => served.map_err(Error::external),
        () = cut => Ok(()),
    }
}
