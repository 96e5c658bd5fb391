//! The routes: what each answers, and on which threads.
//!
//! Small bodies are answered where they arrive: scoring a row takes microseconds. Larger ones go to threads that may
//! block. Scorers wait in a pool, so that their buffers are used again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use stagewise_core::error::{Error, Result};
use stagewise_core::pipeline::Scorer;
use stagewise_core::task::{Answer, Task};

use super::metrics::{self, Metrics};
use super::records::{Record, decode};
use super::refusal::Refusal;
use super::{Limits, Readiness};
use crate::artifact::Artifact;

/// What all requests share.
pub(super) struct Shared<T: Task> {
    pub(super) artifact: Artifact<T>,
    pub(super) readiness: Arc<Readiness>,
    limits: Limits,
    metrics: Metrics,
    scorers: Mutex<Vec<Scorer<T>>>,
    model: String,
    metadata: Bytes,
}

impl<T: Task> Shared<T> {
    pub(super) fn new(artifact: Artifact<T>, limits: Limits) -> Result<Self> {
        let model = artifact.manifest().pipeline.short();
        let schema = artifact.fitted().contract().schema().clone();
        Ok(Self {
            metadata: serde_json::to_vec(artifact.manifest()).map_err(Error::external)?.into(),
            metrics: Metrics::new(schema, model.clone(), T::NAME),
            readiness: Arc::default(),
            scorers: Mutex::default(),
            artifact,
            limits,
            model,
        })
    }

    fn ready(&self) -> std::result::Result<(), Refusal> {
        match self.readiness.get() {
            Some(Ok(())) => Ok(()),
            Some(Err(reason)) => Err(Refusal::NotReady { reason: reason.clone() }),
            None => Err(Refusal::NotReady { reason: "the golden rows are being replayed".into() }),
        }
    }

    /// The response's body for a request's.
    fn answer(&self, body: &[u8]) -> std::result::Result<Vec<u8>, Refusal> {
        let records = decode(body, self.limits.records)?;
        let idle = || self.scorers.lock().unwrap_or_else(PoisonError::into_inner);
        let idle_scorer = idle().pop();
        let mut scorer = idle_scorer.unwrap_or_else(|| self.artifact.fitted().scorer());
        let predictions = score_all(&mut scorer, &records);
        // What passed the door is counted, whether or not all of it was answered.
        self.metrics.admitted(&scorer.take_admission());
        idle().push(scorer);
        let predictions = predictions?;
        self.metrics.predicted(predictions.len());
        serde_json::to_vec(&Predictions { model: &self.model, predictions })
            .map_err(|e| Refusal::Scoring { record: 0, error: Error::external(e) })
    }
}

fn score_all<T: Task>(scorer: &mut Scorer<T>, records: &[Record<'_>]) -> std::result::Result<Vec<Answer>, Refusal> {
    let mut answers = Vec::with_capacity(records.len());
    let mut cells = Vec::new();
    for (record, values) in records.iter().enumerate() {
        cells.clear();
        cells.extend(values.cells());
        let answer = scorer.score(&cells).map_err(|error| Refusal::Scoring { record, error })?;
        if !T::numbers(&answer).iter().all(|x| x.is_finite()) {
            return Err(Refusal::NotFinite { record });
        }
        answers.push(scorer.pipeline().describe(&answer));
    }
    Ok(answers)
}

#[derive(Serialize)]
struct Predictions<'a> {
    model: &'a str,
    predictions: Vec<Answer>,
}

pub(super) fn router<T: Task>(shared: Arc<Shared<T>>) -> Router {
    Router::new()
        .route("/predict", post(predict::<T>))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready::<T>))
        .route("/metrics", get(show_metrics::<T>))
        .route("/metadata", get(metadata::<T>))
        .fallback(async |uri: Uri| Refusal::NoRoute { path: uri.path().into() })
        .method_not_allowed_fallback(async || Refusal::NoMethod)
        .layer(DefaultBodyLimit::max(shared.limits.bytes))
        .layer(from_fn_with_state(shared.clone(), observe::<T>))
        .with_state(shared)
}

/// Counts and times every request, and ends those that take too long.
async fn observe<T: Task>(State(shared): State<Arc<Shared<T>>>, request: Request, next: Next) -> Response {
    let since = Instant::now();
    let path = request.uri().path().to_string();
    let response = match tokio::time::timeout(shared.limits.time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::TooSlow.into_response(),
    };
    shared.metrics.answered(&path, response.status().as_u16(), since.elapsed());
    response
}

async fn predict<T: Task>(
    State(shared): State<Arc<Shared<T>>>,
    request: Request,
) -> std::result::Result<Response, Refusal> {
    shared.ready()?;
    require_json(request.headers())?;
    let body = whole(request, shared.limits.bytes).await?;
    let answer = if is_small(&body) {
        shared.answer(&body)?
    } else {
        match tokio::task::spawn_blocking(move || shared.answer(&body)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(Refusal::Panicked),
        }
    };
    Ok(json(answer))
}

async fn live() -> Response {
    json(&br#"{"status":"live"}"#[..])
}

async fn ready<T: Task>(State(shared): State<Arc<Shared<T>>>) -> std::result::Result<Response, Refusal> {
    shared.ready()?;
    let rows = shared.artifact.manifest().golden_rows;
    Ok(json(format!(r#"{{"status":"ready","golden_rows":{rows}}}"#)))
}

async fn show_metrics<T: Task>(State(shared): State<Arc<Shared<T>>>) -> impl IntoResponse {
    let text = shared.metrics.render(shared.ready().is_ok());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}

async fn metadata<T: Task>(State(shared): State<Arc<Shared<T>>>) -> Response {
    json(shared.metadata.clone())
}

fn json(body: impl Into<Body>) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

/// JSON is `application/json` or ends with `+json`; parameters do not matter. None at all is taken as JSON.
fn require_json(headers: &HeaderMap) -> std::result::Result<(), Refusal> {
    let Some(found) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let found = String::from_utf8_lossy(found.as_bytes());
    let essence = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(Refusal::WrongContentType { found: found.into_owned() })
}

/// All bytes of a request's body, unless they are, or are announced to be, more than `limit`.
async fn whole(request: Request, limit: usize) -> std::result::Result<Bytes, Refusal> {
    if request.body().size_hint().lower() > limit as u64 {
        return Err(Refusal::TooLarge { limit });
    }
    // The limit itself is the router's `DefaultBodyLimit`.
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge { limit },
        _ => Refusal::Incomplete,
    })
}

/// Whether a body holds few enough records to be answered where it arrived. Braces in texts make it look larger, which
/// does no harm.
fn is_small(body: &[u8]) -> bool {
    const BYTES: usize = 64 << 10;
    const RECORDS: usize = 64;
    body.len() <= BYTES && body.iter().filter(|byte| **byte == b'{').count() <= RECORDS + 1
}
