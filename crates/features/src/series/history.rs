//! The past of one entity, as far as some feature asks for it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use stagewise_core::calendar::DAY;

use super::past::{Past, Statistic, Window};
use super::smooth::{line_end, polynomial_end};

/// The events of one entity that still count, and the running sums of those that no longer have to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    /// Oldest first; each with a value per column.
    events: VecDeque<(i64, Vec<f64>)>,
    /// By feature.
    running: Vec<Running>,
    last: Option<i64>,
}

/// What a feature of the whole past keeps of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Running {
    count: f64,
    sum: f64,
    mean: f64,
    squares: f64,
    least: f64,
    most: f64,
    /// Of the exponential mean: sums of values and of weights.
    decayed: [f64; 2],
    known: Option<f64>,
}

const NOTHING: Running = Running {
    count: 0.0,
    sum: 0.0,
    mean: 0.0,
    squares: 0.0,
    least: f64::INFINITY,
    most: f64::NEG_INFINITY,
    decayed: [0.0; 2],
    known: None,
};

/// A feature: which column, and what of it.
pub(crate) type Asked = (usize, Past);

impl History {
    pub(crate) fn new(asked: &[Asked]) -> Self {
        Self { events: VecDeque::new(), running: vec![NOTHING; asked.len()], last: None }
    }

    /// The moment of the last event.
    pub(crate) fn last(&self) -> Option<i64> {
        self.last
    }

    /// Takes an event that is not earlier than the last.
    pub(crate) fn push(&mut self, asked: &[Asked], moment: i64, values: &[f64]) {
        for ((column, past), running) in asked.iter().zip(&mut self.running) {
            running.take(*past, values[*column]);
        }
        self.last = Some(moment);
        self.events.push_back((moment, values.to_vec()));
        let events = asked.iter().map(|(_, past)| past.events()).max().unwrap_or(0);
        let oldest = moment.saturating_sub(asked.iter().map(|(_, past)| past.micros()).max().unwrap_or(0));
        while self.events.len() > events && self.events.front().is_some_and(|(at, _)| *at < oldest) {
            self.events.pop_front();
        }
    }

    /// The features at a moment after the last event; all missing if that is longer ago than something lives.
    pub(crate) fn values(&self, asked: &[Asked], moment: i64, live_for: Option<i64>) -> Vec<f64> {
        let age = self.last.map(|last| i128::from(moment) - i128::from(last));
        if age.zip(live_for).is_some_and(|(age, most)| age > i128::from(most)) {
            return vec![f64::NAN; asked.len()];
        }
        asked.iter().enumerate().map(|(i, &asked)| self.value(i, asked, moment)).collect()
    }

    /// A feature; NaN if it has no value.
    fn value(&self, feature: usize, (column, past): Asked, moment: i64) -> f64 {
        let nth = |events: usize| {
            let at = self.events.len().checked_sub(events)?;
            self.events.get(at).map(|(_, values)| values[column])
        };
        let last = |events: usize| self.events.range(self.events.len().saturating_sub(events)..);
        let running = &self.running[feature];
        let value = match past {
            Past::Lag(events) => nth(events),
            Past::Difference(events) => nth(1).zip(nth(events + 1)).map(|(now, then)| now - then),
            Past::LastKnown => running.known,
            Past::DaysSinceLast => self.last.map(|at| (i128::from(moment) - i128::from(at)) as f64 / DAY as f64),
            Past::Expanding(statistic) => running.told(statistic),
            Past::Ewma { .. } => (running.decayed[1] > 0.0).then(|| running.decayed[0] / running.decayed[1]),
            Past::Rolling(Window::Events(events), statistic) => told(last(events).map(|(_, x)| x[column]), statistic),
            Past::Rolling(Window::Micros(micros), statistic) => {
                let oldest = moment.saturating_sub(micros);
                let from = self.events.partition_point(|(at, _)| *at < oldest);
                told(self.events.range(from..).map(|(_, x)| x[column]), statistic)
            }
            Past::SavitzkyGolay { window, degree } => {
                let values = last(window).map(|(_, x)| x[column]);
                (self.events.len() >= window).then(|| polynomial_end(values, degree))
            }
            Past::Loess { window } => line_end(last(window).map(|(_, x)| x[column]), window),
        };
        value.unwrap_or(f64::NAN)
    }
}

/// A statistic of some values, from the first to the last.
fn told(values: impl Iterator<Item = f64>, statistic: Statistic) -> Option<f64> {
    let mut running = NOTHING;
    values.for_each(|x| running.take(Past::Expanding(statistic), x));
    running.told(statistic)
}

impl Running {
    fn take(&mut self, past: Past, x: f64) {
        if let Past::Ewma { half_life } = past {
            // A missing value ages the others, and adds nothing.
            let fade = (-1.0 / half_life).exp2();
            self.decayed = self.decayed.map(|sum| sum * fade);
        }
        if x.is_nan() {
            return;
        }
        match past {
            Past::Ewma { .. } => self.decayed = [self.decayed[0] + x, self.decayed[1] + 1.0],
            Past::LastKnown => self.known = Some(x),
            Past::Expanding(_) => {
                self.count += 1.0;
                self.sum += x;
                // Welford (1962).
                let off = x - self.mean;
                self.mean += off / self.count;
                self.squares += off * (x - self.mean);
                (self.least, self.most) = (self.least.min(x), self.most.max(x));
            }
            _ => {}
        }
    }

    fn told(&self, statistic: Statistic) -> Option<f64> {
        let some = |value: f64| (self.count > 0.0).then_some(value);
        match statistic {
            Statistic::Count => Some(self.count),
            Statistic::Sum => Some(self.sum),
            Statistic::Mean => some(self.mean),
            Statistic::Deviation => (self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt()),
            Statistic::Least => some(self.least),
            Statistic::Most => some(self.most),
        }
    }
}
