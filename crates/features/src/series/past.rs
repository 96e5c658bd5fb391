//! What can be asked of the past.

use serde::{Deserialize, Serialize};
use stagewise_core::calendar::{DAY, SECOND};
use stagewise_core::error::{ParameterError, Result};

/// A feature of the earlier values of an entity, oldest to newest `x₁ … xₙ`. Without a value to tell it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Past {
    /// The value so many events ago, 1 being the last; missing if that event has none.
    Lag(usize),
    /// The last value less the one so many events before it.
    Difference(usize),
    /// The last value that is not missing: forward fill.
    LastKnown,
    /// How many days ago the last event was.
    DaysSinceLast,
    /// A statistic of the values in a window.
    Rolling(Window, Statistic),
    /// A statistic of all earlier values.
    Expanding(Statistic),
    /// The mean with weights that halve every so many events: `Σ 2^(−k/h) x / Σ 2^(−k/h)`, `k` the events since.
    Ewma {
        /// After how many events a weight is halved: above 0.
        half_life: f64,
    },
    /// The end of a polynomial fitted to the last values by least squares (Savitzky & Golay 1964, at the end point).
    SavitzkyGolay {
        /// How many values; missing while there are fewer.
        window: usize,
        /// The degree of the polynomial: below `window`, at most 5.
        degree: usize,
    },
    /// The end of a line fitted to the last values, with the tricube weights of LOESS, `(1 − (k/w)³)³` for the value `k`
    /// events before the last (Cleveland 1979).
    Loess {
        /// How many values, at least 3; missing while there are fewer than 2.
        window: usize,
    },
}

/// What of the past counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The last so many events.
    Events(usize),
    /// Events at most so many microseconds before the moment.
    Micros(i64),
}

impl Window {
    /// So many days of 24 hours.
    pub fn days(days: u32) -> Self {
        Self::Micros(i64::from(days) * DAY)
    }

    /// So many hours.
    pub fn hours(hours: u32) -> Self {
        Self::Micros(i64::from(hours) * 3600 * SECOND)
    }
}

/// What is told of several values; missing ones are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// How many there are; 0 is not missing.
    Count,
    /// Their sum; 0 of none.
    Sum,
    /// Their mean.
    Mean,
    /// Their standard deviation, divided by `n − 1`; missing below two.
    Deviation,
    /// The smallest.
    Least,
    /// The largest.
    Most,
}

impl Past {
    pub(super) fn check(self) -> Result<()> {
        let valid = match self {
            Self::Lag(events) | Self::Difference(events) => (1..=MOST).contains(&events),
            Self::Rolling(Window::Events(events), _) => (1..=MOST).contains(&events),
            Self::Rolling(Window::Micros(micros), _) => micros > 0,
            Self::Ewma { half_life } => half_life > 0.0 && half_life.is_finite(),
            Self::SavitzkyGolay { window, degree } => degree <= 5 && degree < window && window <= MOST,
            Self::Loess { window } => (3..=MOST).contains(&window),
            Self::LastKnown | Self::DaysSinceLast | Self::Expanding(_) => true,
        };
        let allowed =
            "1 to 100000 events, a length above 0, a half-life above 0, a degree of at most 5 and below the window";
        ParameterError::check(valid, "past", format!("{self:?}"), allowed)
    }

    /// How many events back it looks.
    pub(super) fn events(self) -> usize {
        match self {
            Self::Lag(events) | Self::Rolling(Window::Events(events), _) => events,
            Self::Difference(events) => events + 1,
            Self::SavitzkyGolay { window, .. } | Self::Loess { window } => window,
            _ => 0,
        }
    }

    /// How many microseconds back it looks.
    pub(super) fn micros(self) -> i64 {
        match self {
            Self::Rolling(Window::Micros(micros), _) => micros,
            _ => 0,
        }
    }
}

/// The longest window in events.
const MOST: usize = 100_000;
