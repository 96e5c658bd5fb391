//! What the server counts, in Prometheus' text format 0.0.4: a small registry of atomics, fixed when the server is made.
//!
//! | metric | type | labels |
//! |---|---|---|
//! | `http_requests_total` | counter | `route`, `code` |
//! | `http_request_duration_seconds` | histogram | `route` |
//! | `stagewise_predictions_total` | counter | |
//! | `stagewise_missing_values_total` | counter | `column` |
//! | `stagewise_unseen_levels_total` | counter | `column`, categories only |
//! | `stagewise_cast_values_total` | counter | `column` |
//! | `stagewise_extra_columns_total` | counter | |
//! | `stagewise_ready` | gauge | |
//! | `stagewise_model_info` | gauge, always 1 | `model`, `task` |
//!
//! Labels are routes, codes and the contract's columns: a client can make no series. The door counts at most 64 names per
//! request; what is past them stands under the column `…`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stagewise_core::pipeline::Admission;
use stagewise_core::schema::{Kind, Schema};

/// The content type of [`Metrics::render`].
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The paths that are counted; all others are one route, `other`.
const ROUTES: [&str; 6] = ["/predict", "/health/live", "/health/ready", "/metrics", "/metadata", "other"];

/// The codes that this server gives; any other is counted as 500.
const CODES: [u16; 11] = [200, 400, 404, 405, 408, 413, 415, 422, 500, 501, 503];

/// Upper bounds in seconds. A row is scored in microseconds, so the bounds begin below a millisecond.
const BOUNDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// All counts of one server.
pub(super) struct Metrics {
    schema: Arc<Schema>,
    model: String,
    task: &'static str,
    routes: [RouteCounts; ROUTES.len()],
    predictions: AtomicU64,
    missing: ColumnCounts,
    unseen: ColumnCounts,
    cast: ColumnCounts,
    extra: AtomicU64,
}

#[derive(Default)]
struct RouteCounts {
    codes: [AtomicU64; CODES.len()],
    /// Per bound those at or below it and above the one before; the last are above all.
    durations: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// One count per column of the contract, and one for what the door counted without a name.
struct ColumnCounts(Vec<AtomicU64>);

impl Metrics {
    pub(super) fn new(schema: Arc<Schema>, model: String, task: &'static str) -> Self {
        let counts = || ColumnCounts((0..=schema.len()).map(|_| AtomicU64::new(0)).collect());
        let (missing, unseen, cast) = (counts(), counts(), counts());
        let (predictions, extra) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { schema, model, task, routes: Default::default(), predictions, missing, unseen, cast, extra }
    }

    /// A request was answered.
    pub(super) fn answered(&self, path: &str, code: u16, after: Duration) {
        let known = ROUTES.iter().position(|route| *route == path).unwrap_or(ROUTES.len() - 1);
        let code = CODES.iter().position(|c| *c == code).or_else(|| CODES.iter().position(|c| *c == 500));
        let counts = &self.routes[known];
        add(&counts.codes[code.unwrap_or(0)], 1);
        let bucket = BOUNDS.partition_point(|bound| *bound < after.as_secs_f64());
        add(&counts.durations[bucket], 1);
        add(&counts.nanoseconds, u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Records were scored.
    pub(super) fn predicted(&self, records: usize) {
        add(&self.predictions, records as u64);
    }

    /// Records passed the door.
    pub(super) fn admitted(&self, admission: &Admission) {
        for (into, from) in
            [(&self.missing, &admission.missing), (&self.unseen, &admission.unseen), (&self.cast, &admission.cast)]
        {
            into.take(&self.schema, from);
        }
        add(&self.extra, admission.extra.values().sum());
    }

    /// The text of `/metrics`.
    pub(super) fn render(&self, ready: bool) -> String {
        let mut page = Page::default();
        page.metric("http_requests_total", "counter", "Requests answered, by route and status code.");
        for (route, counts) in ROUTES.iter().zip(&self.routes) {
            for (code, count) in CODES.iter().zip(&counts.codes) {
                // A series begins with its first request; nought for each code would drown the rest.
                if read(count) > 0 {
                    page.sample("", &[("route", route), ("code", &code.to_string())], read(count));
                }
            }
        }
        page.metric("http_request_duration_seconds", "histogram", "Seconds from a request's head to its answer.");
        for (route, counts) in ROUTES.iter().zip(&self.routes) {
            let mut below = 0;
            let mut bound = BOUNDS.iter();
            for count in &counts.durations {
                below += read(count);
                let le = bound.next().map_or("+Inf".to_string(), ToString::to_string);
                page.sample("_bucket", &[("route", route), ("le", &le)], below);
            }
            page.sample("_sum", &[("route", route)], read(&counts.nanoseconds) as f64 / 1e9);
            page.sample("_count", &[("route", route)], below);
        }
        page.metric("stagewise_predictions_total", "counter", "Records answered.");
        page.sample("", &[], read(&self.predictions));
        let all = |_| true;
        page.metric("stagewise_missing_values_total", "counter", "Missing values, by column.");
        self.missing.render(&self.schema, all, &mut page);
        page.metric("stagewise_unseen_levels_total", "counter", "Levels not seen in training, by column.");
        self.unseen.render(&self.schema, |kind| kind == Kind::Category, &mut page);
        page.metric("stagewise_cast_values_total", "counter", "Values cast from another kind, by column.");
        self.cast.render(&self.schema, all, &mut page);
        page.metric("stagewise_extra_columns_total", "counter", "Values of columns that the model does not take.");
        page.sample("", &[], read(&self.extra));
        page.metric("stagewise_ready", "gauge", "1 once the golden rows gave their recorded answers.");
        page.sample("", &[], u8::from(ready));
        page.metric("stagewise_model_info", "gauge", "The model that answers.");
        page.sample("", &[("model", &self.model), ("task", self.task)], 1);
        page.text
    }
}

impl ColumnCounts {
    fn take(&self, schema: &Schema, from: &BTreeMap<String, u64>) {
        for (name, n) in from {
            let place = schema.position(name).unwrap_or(schema.len());
            self.0.get(place).into_iter().for_each(|count| add(count, *n));
        }
    }

    fn render(&self, schema: &Schema, shown: impl Fn(Kind) -> bool, page: &mut Page) {
        for (field, count) in schema.fields().iter().zip(&self.0).filter(|(field, _)| shown(field.kind)) {
            page.sample("", &[("column", &field.name)], read(count));
        }
        if let Some(rest) = self.0.last().map(read).filter(|rest| *rest > 0) {
            page.sample("", &[("column", "…")], rest);
        }
    }
}

fn add(count: &AtomicU64, by: u64) {
    count.fetch_add(by, Ordering::Relaxed);
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

/// Lines of the format.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{label}=\"{}\"", if i == 0 { '{' } else { ',' }, escaped(text));
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

/// A label's value: backslash, quote and line feed have escapes, nothing else has.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A reader of the exposition format, as strict as its rules.
#[cfg(test)]
pub(super) mod reader {
    use std::collections::BTreeMap;

    /// Series (name and sorted labels) to values. Panics where the text breaks a rule.
    pub(in crate::server) fn series(text: &str) -> BTreeMap<String, f64> {
        assert!(text.ends_with('\n'), "the last line must end with a line feed");
        let mut found = BTreeMap::new();
        let mut types: BTreeMap<String, String> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                current = help.split_once(' ').expect("a help text").0.to_string();
                assert!(!types.contains_key(&current), "{current} comes in one group");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a type");
                assert_eq!(name, current, "HELP and TYPE stand together");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
                assert!(kind != "counter" || name.ends_with("_total"), "{name}");
                assert!(types.insert(name.into(), kind.into()).is_none());
            } else {
                let (name, labels, value) = sample(line);
                let base = if types[&current] == "histogram" {
                    ["_bucket", "_sum", "_count"].iter().find_map(|s| name.strip_suffix(s)).expect("a suffix")
                } else {
                    name
                };
                assert_eq!(base, current, "samples stand below their TYPE");
                let key = format!("{name}{labels:?}");
                assert!(found.insert(key.clone(), value).is_none(), "{key} comes twice");
            }
        }
        histograms(&found);
        found
    }

    fn is_name(name: &str) -> bool {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
        name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
    }

    fn sample(line: &str) -> (&str, BTreeMap<String, String>, f64) {
        let end = line.find(['{', ' ']).expect("a value");
        let (name, mut rest) = line.split_at(end);
        assert!(is_name(name), "{name}");
        let mut labels = BTreeMap::new();
        if let Some(inner) = rest.strip_prefix('{') {
            let mut inner = inner;
            loop {
                let (label, after) = inner.split_once("=\"").expect("a label");
                assert!(is_name(label) && !label.contains(':'), "{label}");
                let mut value = String::new();
                let mut chars = after.char_indices();
                let close = loop {
                    match chars.next().expect("a closing quote") {
                        (at, '"') => break at,
                        (_, '\\') => value.push(match chars.next().expect("an escape").1 {
                            'n' => '\n',
                            c @ ('\\' | '"') => c,
                            c => panic!("no escape: {c}"),
                        }),
                        (_, c) => value.push(c),
                    }
                };
                assert!(labels.insert(label.to_string(), value).is_none(), "{label} comes twice");
                match after[close + 1..].chars().next() {
                    Some(',') => inner = &after[close + 2..],
                    Some('}') => {
                        rest = &after[close + 2..];
                        break;
                    }
                    other => panic!("{other:?} after a label"),
                }
            }
        }
        let value = rest.strip_prefix(' ').expect("one blank before the value");
        (name, labels, value.parse().expect("a number"))
    }

    /// Buckets do not fall, and the last is the count.
    fn histograms(found: &BTreeMap<String, f64>) {
        let name = "http_request_duration_seconds";
        let counts: Vec<_> = found.iter().filter(|(key, _)| key.starts_with(&format!("{name}_count"))).collect();
        assert!(!counts.is_empty());
        for (key, count) in counts {
            let route = key.split_once("\"route\": ").expect("a route").1.trim_end_matches('}');
            let bucket = |le: &str| found[&format!("{name}_bucket{{\"le\": \"{le}\", \"route\": {route}}}")];
            let mut before = 0.0;
            for le in ["0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025"]
                .into_iter()
                .chain(["0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"])
            {
                assert!(bucket(le) >= before, "{route} {le}");
                before = bucket(le);
            }
            assert_eq!(before, *count, "{route}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::schema::Field;

    #[test]
    fn the_page_keeps_to_the_format_whatever_columns_are_called() {
        let names = ["plain", "quo\"te", "back\\slash", "line\nfeed", "größe, {x}="];
        let fields = names.iter().map(|name| Field::new(*name, Kind::Category)).collect();
        let metrics = Metrics::new(Arc::new(Schema::new(fields).unwrap()), "0123".into(), "binary");
        metrics.answered("/predict", 200, Duration::from_micros(100));
        metrics.answered("/predict", 422, Duration::from_micros(101));
        metrics.answered("/nowhere", 404, Duration::from_secs(11));
        let missing = names.iter().map(|name| (name.to_string(), 2)).chain([("…".to_string(), 7)]).collect();
        metrics.admitted(&Admission { missing, ..Admission::default() });
        let series = reader::series(&metrics.render(true));
        for name in names.iter().chain(&["…"]) {
            let key = format!("stagewise_missing_values_total{:?}", BTreeMap::from([("column", name)]));
            assert_eq!(series[&key], if *name == "…" { 7.0 } else { 2.0 }, "{key}");
        }
        let bucket = |le: &str, route: &str| {
            series[&format!("http_request_duration_seconds_bucket{{\"le\": \"{le}\", \"route\": \"{route}\"}}")]
        };
        // The bounds are inclusive.
        assert_eq!((bucket("0.0001", "/predict"), bucket("0.00025", "/predict")), (1.0, 2.0));
        assert_eq!((bucket("10", "other"), bucket("+Inf", "other")), (0.0, 1.0));
        assert_eq!(series["http_requests_total{\"code\": \"422\", \"route\": \"/predict\"}"], 1.0);
    }
}
