//! Wall and processor seconds, memory and quality, for the programs in Rust: the same rules as `measure.py`.

use std::time::Instant;

use serde_json::{Value, json};

/// Seconds of one call: medians over the calls made.
pub struct Time {
    pub wall: f64,
    pub cpu: f64,
    pub calls: usize,
}

/// Calls `f` once at least, and again while there were fewer than five calls and less than `budget` seconds.
pub fn timed<T>(budget: f64, mut f: impl FnMut() -> T) -> (Time, T) {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    loop {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        let out = f();
        walls.push(wall.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
        if walls.len() == 5 || walls.iter().sum::<f64>() >= budget {
            return (Time { calls: walls.len(), wall: median(walls), cpu: median(cpus) }, out);
        }
    }
}

/// The median time of one call of `f` over the rows `0..rows`, five times around, in microseconds.
pub fn one_by_one(rows: usize, mut f: impl FnMut(usize)) -> f64 {
    let mut round = || {
        let start = Instant::now();
        (0..rows).for_each(&mut f);
        start.elapsed().as_secs_f64() * 1e6 / rows as f64
    };
    round();
    median((0..5).map(|_| round()).collect())
}

/// What was measured: the common fields of a line.
pub struct Subject<'a> {
    pub table: &'a str,
    pub peer: &'a str,
    pub version: &'a str,
    pub threads: usize,
}

/// One line of the results; `more` is laid over the common fields.
pub fn line(subject: &Subject<'_>, task: &str, rows: usize, time: &Time, more: Value) {
    let Subject { table, peer, version, threads } = subject;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|l| l.parse().ok()).unwrap_or(0.0);
    let mut line = json!({
        "task": task, "table": table, "peer": peer, "version": version, "rows": rows, "threads": threads,
        "seconds": time.wall, "cpu_seconds": time.cpu, "reps": time.calls, "load1": load,
    });
    for (key, value) in more.as_object().expect("an object") {
        line[key] = value.clone();
    }
    println!("{line}");
}

/// Processor seconds of all threads so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse().ok())
        .collect();
    ticks.iter().sum::<f64>() / 100.0
}

/// Lets the peak of [`memory_mb`] start again from what is in use now.
pub fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Memory in use (`VmRSS`) or its peak (`VmHWM`), in MB.
pub fn memory_mb(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(field)).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).map_or(0.0, |kb| (kb / 1024.0).round())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

/// Area under the ROC curve; equal scores count half.
pub fn auc(truth: &[f32], score: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|a, b| score[*a].total_cmp(&score[*b]));
    let (mut ranks, mut positives, mut first) = (0.0, 0.0, 0);
    while first < order.len() {
        let same = order[first..].iter().take_while(|r| score[**r] == score[order[first]]).count();
        let here = order[first..first + same].iter().filter(|r| truth[**r] > 0.5).count() as f64;
        ranks += here * (first as f64 + (same as f64 + 1.0) / 2.0);
        positives += here;
        first += same;
    }
    (ranks - positives * (positives + 1.0) / 2.0) / (positives * (truth.len() as f64 - positives))
}

/// Mean negative log likelihood; probabilities are kept an f64 epsilon away from 0 and 1.
pub fn log_loss(truth: &[f32], probability: &[f64]) -> f64 {
    let each = truth.iter().zip(probability).map(|(t, p)| {
        let p = p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        -(if *t > 0.5 { p } else { 1.0 - p }).ln()
    });
    each.sum::<f64>() / truth.len() as f64
}
