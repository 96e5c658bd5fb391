//! Every way in which a request is refused: status, kind for programs, message for people, place.

use std::borrow::Cow;
use std::fmt;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use stagewise_core::error::{Crumb, Error, ErrorKind};

/// Why a request is not answered.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The body's bytes did not all come.
    Incomplete,
    /// No JSON; the message has line and column.
    Malformed {
        message: String,
    },
    /// JSON of another shape than records.
    Shape {
        record: Option<usize>,
        column: Option<String>,
        message: String,
    },
    /// A name twice in one record.
    Duplicate {
        record: usize,
        column: String,
    },
    /// A record's answer is NaN or infinite, which JSON cannot say.
    NotFinite {
        record: usize,
    },
    /// The pipeline refuses a record.
    Scoring {
        record: usize,
        error: Error,
    },
    TooManyRecords {
        limit: usize,
    },
    TooLarge {
        limit: usize,
    },
    WrongContentType {
        found: String,
    },
    NotReady {
        reason: String,
    },
    TooSlow,
    Panicked,
    NoRoute {
        path: String,
    },
    NoMethod,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Incomplete | Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::Shape { .. } | Self::Duplicate { .. } | Self::NotFinite { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Scoring { error, .. } => match error.kind() {
                ErrorKind::Schema(_) | ErrorKind::Data(_) | ErrorKind::Numeric(_) => StatusCode::UNPROCESSABLE_ENTITY,
                // The values are not at fault.
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::TooManyRecords { .. } | Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongContentType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotReady { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoRoute { .. } => StatusCode::NOT_FOUND,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Malformed { .. } => "malformed_json",
            Self::Shape { .. } => "shape",
            Self::Duplicate { .. } => "duplicate_name",
            Self::NotFinite { .. } => "not_finite",
            Self::Scoring { error, .. } => match error.kind() {
                ErrorKind::Schema(_) => "schema",
                ErrorKind::Data(_) => "data",
                ErrorKind::Numeric(_) => "numeric",
                _ => "internal",
            },
            Self::TooManyRecords { .. } => "too_many_records",
            Self::TooLarge { .. } => "too_large",
            Self::WrongContentType { .. } => "content_type",
            Self::NotReady { .. } => "not_ready",
            Self::TooSlow => "timeout",
            Self::Panicked => "internal",
            Self::NoRoute { .. } => "no_route",
            Self::NoMethod => "no_method",
        }
    }

    fn place(&self) -> (Option<usize>, Option<Cow<'_, str>>) {
        match self {
            Self::Shape { record, column, .. } => (*record, column.as_deref().map(Cow::Borrowed)),
            Self::Duplicate { record, column } => (Some(*record), Some(column.into())),
            Self::NotFinite { record } => (Some(*record), None),
            Self::Scoring { record, error } => {
                let column = error.crumbs().find_map(|c| if let Crumb::Column(name) = c { Some(name) } else { None });
                (Some(*record), column.map(Cow::from))
            }
            _ => (None, None),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("the body did not come whole"),
            Self::Malformed { message } | Self::Shape { message, .. } => f.write_str(message),
            Self::Duplicate { column, .. } => write!(f, "`{column}` comes twice in one record"),
            Self::NotFinite { .. } => f.write_str("the answer is not a finite number"),
            Self::Scoring { error, .. } => error.fmt(f),
            Self::TooManyRecords { limit } => write!(f, "more than {limit} records; send them in several requests"),
            Self::TooLarge { limit } => write!(f, "the body has more than {limit} bytes; send several requests"),
            Self::WrongContentType { found } => write!(f, "`{found}` is not taken; send `application/json`"),
            Self::NotReady { reason } => write!(f, "not ready: {reason}"),
            Self::TooSlow => f.write_str("the request took too long"),
            Self::Panicked => f.write_str("a stage panicked"),
            Self::NoRoute { path } => write!(f, "there is no route `{path}`"),
            Self::NoMethod => f.write_str("this route does not take that method"),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Fields<'a>,
}

#[derive(Serialize)]
struct Fields<'a> {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<Cow<'a, str>>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (record, column) = self.place();
        let error = Fields { kind: self.kind(), message: self.to_string(), record, column };
        (self.status(), Json(Body { error })).into_response()
    }
}
