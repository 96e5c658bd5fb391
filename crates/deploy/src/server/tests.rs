//! The server over real connections on the loopback device.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagewise_core::column::Column;
use stagewise_core::record::Cell;
use stagewise_core::schema::Levels;
use stagewise_core::stage::Predictor;
use stagewise_core::table::Table;
use stagewise_core::task::{Binary, Task};
use stagewise_testkit::data;

use super::metrics::reader;
use super::{Limits, RunningServer, Server, prove, run};
use crate::artifact::Artifact;
use crate::fixture::{self, Shape};
use crate::server::routes::Shared;

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One request, one connection.
fn send(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_ascii_lowercase(), body: body.into() }
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n");
    send(address, format!("{head}{headers}\r\n{body}").as_bytes())
}

fn get(address: SocketAddr, path: &str) -> Reply {
    ask(address, "GET", path, "", "")
}

fn predict(address: SocketAddr, body: &str) -> Reply {
    ask(address, "POST", "/predict", "Content-Type: application/json\r\n", body)
}

fn start<T: Task>(artifact: Artifact<T>) -> RunningServer {
    let server = Server::new(artifact).address("127.0.0.1:0").start().unwrap();
    assert!(server.is_ready());
    server
}

/// Rows as records.
fn records(table: &Table) -> Vec<Value> {
    let level = |levels: &Levels, code| json!(levels.name(code).map(|l| l.as_ref()));
    (0..table.rows())
        .map(|row| {
            let named = table.schema().fields().iter().zip(table.columns());
            let value = |column: &Column| match (column.cell(row), column) {
                (Cell::Number(x), _) => json!(x),
                (Cell::Flag(b), _) => json!(b),
                (Cell::Level(code), Column::Category { levels, .. }) => level(levels, code),
                _ => Value::Null,
            };
            named
                .map(|(field, column)| (field.name.to_string(), value(column)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect()
}

/// The numbers of an answer in JSON, in the order of [`Task::numbers`].
fn numbers(answer: &Value) -> Vec<u64> {
    let number = |value: &Value| value.as_f64().unwrap().to_bits();
    match (&answer["probability"], &answer["value"], &answer["probabilities"]) {
        (p @ Value::Number(_), _, _) | (_, p @ Value::Number(_), _) => vec![number(p)],
        (_, _, Value::Array(pairs)) => pairs.iter().map(|pair| number(&pair[1])).collect(),
        _ => panic!("{answer}"),
    }
}

fn served_bits_are_those_in_process<T: Shape>(artifact: Artifact<T>) {
    let table = data::mixed(150, 5);
    let output = artifact.fitted().predict(&table).unwrap();
    let model = artifact.fitted().fingerprint().short();
    let bits = |row| T::numbers(&T::row(&output, row)).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let server = start(artifact);
    let records = records(&table);
    let whole = predict(server.address(), &json!({ "records": records }).to_string());
    assert_eq!(whole.status, 200, "{}", whole.body);
    assert!(whole.head.contains("content-type: application/json"));
    let whole = whole.json();
    assert_eq!(whole["model"], json!(model));
    assert_eq!(whole["predictions"].as_array().unwrap().len(), 150);
    let few = predict(server.address(), &json!(records[..3]).to_string()).json();
    let one = predict(server.address(), &records[0].to_string()).json();
    for row in 0..150 {
        assert_eq!(numbers(&whole["predictions"][row]), bits(row), "row {row}");
    }
    assert_eq!(few["predictions"].as_array().unwrap()[..], whole["predictions"].as_array().unwrap()[..3]);
    assert_eq!(one["predictions"], json!([whole["predictions"][0]]));
    server.stop().unwrap();
}

#[test]
fn served_answers_are_those_in_process_for_every_task() {
    served_bits_are_those_in_process(fixture::binary());
    served_bits_are_those_in_process(fixture::multiclass());
    served_bits_are_those_in_process(fixture::regression());
}

#[test]
fn clients_at_once_get_their_own_answers() {
    let artifact = fixture::binary();
    let table = data::mixed(64, 6);
    let output = artifact.fitted().predict(&table).unwrap();
    let server = start(artifact);
    let (address, records) = (server.address(), records(&table));
    std::thread::scope(|scope| {
        for client in 0..8 {
            let (records, output) = (&records, &output);
            scope.spawn(move || {
                for row in (client % 4..64).step_by(4) {
                    let reply = predict(address, &records[row].to_string()).json();
                    assert_eq!(numbers(&reply["predictions"][0]), [output[row].to_bits()]);
                }
            });
        }
    });
    let series = reader::series(&get(address, "/metrics").body);
    assert_eq!(series["stagewise_predictions_total{}"], 128.0);
}

const GOOD: &str = r#"{"age":30,"income":1.5,"constant":3.5,"empty":null,"city":"Bern","plan":"pro","active":true}"#;

#[test]
fn what_is_refused_says_what_and_where() {
    let artifact = fixture::regression();
    let server = Server::new(artifact).address("127.0.0.1:0").max_records(2).body_limit(2000).start().unwrap();
    let address = server.address();
    let with = |from: &str, to: &str| GOOD.replace(from, to);
    let table: [(String, u16, &str, &str, Value, Value); 15] = [
        (GOOD[..50].into(), 400, "malformed_json", "at line 1 column 50", Value::Null, Value::Null),
        (String::new(), 400, "malformed_json", "at line 1 column 0", Value::Null, Value::Null),
        ("[\n{},\n nope]".into(), 400, "malformed_json", "at line 3 column 3", Value::Null, Value::Null),
        ("\"\u{0}\"".into(), 400, "malformed_json", "control character", Value::Null, Value::Null),
        ("3".into(), 422, "shape", "expected a record, a list of records", Value::Null, Value::Null),
        ("[3]".into(), 422, "shape", "expected a record: an object", json!(0), Value::Null),
        (format!("[{GOOD},{}]", with("30", "[30]")), 422, "shape", "expected a number", json!(1), json!("age")),
        (with("30", "{}"), 422, "shape", "expected a number, a text", json!(0), json!("age")),
        (with("income", "age"), 422, "duplicate_name", "`age` comes twice in one record", json!(0), json!("age")),
        (with("income", "incme"), 422, "schema", "did you mean `incme`?", json!(0), Value::Null),
        (with("30", "\"old\""), 422, "data", "column `age`: `old` is not a number", json!(0), json!("age")),
        (with("true", "2"), 422, "data", "`2` is not a flag", json!(0), json!("active")),
        (with("30", "1e308"), 422, "not_finite", "not a finite number", json!(0), Value::Null),
        (format!("[{GOOD},{GOOD},{GOOD}]"), 413, "too_many_records", "more than 2 records", Value::Null, Value::Null),
        (with("Bern", &"B".repeat(2000)), 413, "too_large", "more than 2000 bytes", Value::Null, Value::Null),
    ];
    for (body, status, kind, message, record, column) in table {
        let reply = predict(address, &body);
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status, &error["kind"]), (status, &json!(kind)), "{body}: {error}");
        assert!(error["message"].as_str().unwrap().contains(message), "{body}: {error}");
        assert_eq!((&error["record"], &error["column"]), (&record, &column), "{body}: {error}");
    }
    let empty = predict(address, "[]");
    assert_eq!((empty.status, &empty.json()["predictions"]), (200, &json!([])));
}

#[test]
fn routes_methods_and_content_types() {
    let server = start(fixture::multiclass());
    let address = server.address();
    let kind = |reply: &Reply| reply.json()["error"]["kind"].clone();
    let reply = get(address, "/predictions");
    assert_eq!((reply.status, kind(&reply)), (404, json!("no_route")));
    let reply = get(address, "/predict");
    assert_eq!((reply.status, kind(&reply)), (405, json!("no_method")));
    assert!(reply.head.contains("allow: post"), "{}", reply.head);
    let typed = |kind: &str| ask(address, "POST", "/predict", kind, GOOD);
    let reply = typed("Content-Type: text/csv\r\n");
    assert_eq!((reply.status, kind(&reply)), (415, json!("content_type")));
    for accepted in ["", "Content-Type: Application/JSON; charset=utf-8\r\n", "Content-Type: application/x+json\r\n"] {
        assert_eq!(typed(accepted).status, 200, "{accepted}");
    }
    // Without an announced length.
    let chunks = format!(
        "POST /predict HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{GOOD}\r\n0\r\n\r\n",
        GOOD.len()
    );
    assert_eq!(send(address, chunks.as_bytes()).status, 200);
    let metadata = get(address, "/metadata").json();
    assert_eq!(metadata["task"], json!("multiclass"));
    assert_eq!(metadata["labels"].as_array().map(Vec::len), Some(3));
    assert_eq!(metadata["inputs"][0], json!({ "name": "age", "kind": "number", "missing": false }));
    assert_eq!(metadata["approval"]["checks"][0]["what"], json!("width"));
    assert_eq!(get(address, "/health/live").json(), json!({ "status": "live" }));
    assert_eq!(get(address, "/health/ready").json(), json!({ "status": "ready", "golden_rows": 5 }));
}

#[test]
fn a_body_of_unknown_length_is_limited_too() {
    let server = Server::new(fixture::binary()).address("127.0.0.1:0").body_limit(100).start().unwrap();
    let body = " ".repeat(400);
    let head = "POST /predict HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let reply = send(server.address(), format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes());
    assert_eq!((reply.status, &reply.json()["error"]["kind"]), (413, &json!("too_large")));
}

#[test]
fn the_door_is_counted_by_column() {
    let server = start(fixture::binary());
    let address = server.address();
    let odd = GOOD.replace("30", "null").replace("Bern", "Atlantis").replace("1.5", "\"1.5\"");
    let odd = odd.replace('}', r#","note":"x","more":1}"#);
    assert_eq!(predict(address, &format!("[{odd},{odd}]")).status, 200);
    assert_eq!(predict(address, "nonsense").status, 400);
    let reply = get(address, "/metrics");
    assert!(reply.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{}", reply.head);
    let series = reader::series(&reply.body);
    let of = |name: &str, column: &str| series[&format!("stagewise_{name}_total{{\"column\": \"{column}\"}}")];
    assert_eq!(
        (of("missing_values", "age"), of("missing_values", "empty"), of("missing_values", "plan")),
        (2.0, 2.0, 0.0)
    );
    assert_eq!((of("unseen_levels", "city"), of("unseen_levels", "plan")), (2.0, 0.0));
    assert_eq!(of("cast_values", "income"), 2.0);
    assert_eq!(series["stagewise_extra_columns_total{}"], 4.0);
    assert_eq!(series["stagewise_predictions_total{}"], 2.0);
    assert_eq!(series["http_requests_total{\"code\": \"200\", \"route\": \"/predict\"}"], 1.0);
    assert_eq!(series["http_requests_total{\"code\": \"400\", \"route\": \"/predict\"}"], 1.0);
    let (count, sum) = ("http_request_duration_seconds_count", "http_request_duration_seconds_sum");
    assert_eq!(series[&format!("{count}{{\"route\": \"/predict\"}}")], 2.0);
    assert!(series[&format!("{sum}{{\"route\": \"/predict\"}}")] > 0.0);
    assert!(series.keys().any(|key| key.starts_with("stagewise_model_info") && key.contains("\"task\": \"binary\"")));
}

#[test]
fn nothing_is_answered_before_the_golden_rows_are_replayed_or_if_they_fail() {
    let mut artifact = fixture::binary();
    artifact.spoil_golden();
    let limits = Limits { records: 10, bytes: 1000, time: Duration::from_secs(5) };
    let shared = Arc::new(Shared::<Binary>::new(artifact, limits).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(run(shared.clone(), listener, Duration::ZERO, std::future::pending()));
    let refused = |reason: &str| {
        for reply in [get(address, "/health/ready"), predict(address, GOOD)] {
            let error = reply.json()["error"].clone();
            assert_eq!((reply.status, &error["kind"]), (503, &json!("not_ready")));
            assert!(error["message"].as_str().unwrap().contains(reason), "{error}");
        }
        assert_eq!(get(address, "/health/live").status, 200);
    };
    refused("not ready: the golden rows are being replayed");
    runtime.block_on(prove(shared, || ()));
    refused("not ready: replay: golden row 0 gives ");
    assert_eq!(reader::series(&get(address, "/metrics").body)["stagewise_ready{}"], 0.0);
    runtime.shutdown_background();
}

#[test]
fn a_server_that_cannot_prove_itself_starts_but_is_not_ready() {
    let mut artifact = fixture::binary();
    artifact.spoil_golden();
    let server = Server::new(artifact).address("127.0.0.1:0").start().unwrap();
    assert!(!server.is_ready());
    assert_eq!(get(server.address(), "/health/ready").status, 503);
    server.stop().unwrap();
}

#[test]
fn stopping_answers_what_is_under_way_and_takes_nothing_new() {
    let server = start(fixture::binary());
    let address = server.address();
    // Half a request is under way, and an idle connection is open.
    let idle = TcpStream::connect(address).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", GOOD.len());
    stream.write_all(format!("{head}{}", &GOOD[..10]).as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let since = Instant::now();
    let stopping = std::thread::spawn(move || server.stop());
    std::thread::sleep(Duration::from_millis(100));
    stream.write_all(&GOOD.as_bytes()[10..]).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    stopping.join().unwrap().unwrap();
    assert!(since.elapsed() < Duration::from_secs(8), "an idle connection does not hold the server");
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
}

#[test]
fn a_request_that_does_not_end_is_cut_off() {
    let server = Server::new(fixture::binary()).address("127.0.0.1:0").timeout(Duration::from_millis(50));
    let server = server.grace(Duration::from_millis(50)).start().unwrap();
    let reply = send(server.address(), b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 50\r\n\r\n{");
    assert_eq!((reply.status, &reply.json()["error"]["kind"]), (408, &json!("timeout")));
    drop(server);
}

#[test]
fn limits_and_addresses_are_checked() {
    let message = |server: Server<Binary>| server.start().unwrap_err().to_string();
    assert_eq!(message(Server::new(fixture::binary()).max_records(0)), "`max_records` is 0, allowed is at least 1");
    let taken = start(fixture::binary());
    let address = taken.address().to_string();
    let error = message(Server::new(fixture::binary()).address(&*address));
    assert!(error.starts_with(&format!("`{address}`: ")), "{error}");
}
