//! How long work shows that it moves: a sink that the caller chooses. Silent unless told otherwise.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where progress is shown.
pub trait Progress: Send + Sync {
    /// A piece of work begins; `total` is the number of units if it is known.
    fn start(&self, label: &str, total: Option<u64>) -> Box<dyn Bar>;
}

/// One piece of work under way. Dropping it ends it.
pub trait Bar: Send + Sync {
    /// `units` more are done.
    fn advance(&self, units: u64);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _label: &str, _total: Option<u64>) -> Box<dyn Bar> {
        Box::new(Self)
    }
}

impl Bar for Silent {
    fn advance(&self, _units: u64) {}
}

/// Bars on the terminal's error stream; nothing where that is not a terminal.
#[derive(Debug, Clone)]
pub struct TerminalBars {
    bars: MultiProgress,
}

impl TerminalBars {
    /// Bars on the error stream.
    pub fn new() -> Self {
        Self { bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()) }
    }

    /// Prints a line above the bars.
    pub fn line(&self, text: &str) {
        // A terminal that cannot be written to is no reason to stop a fit.
        let _ = self.bars.println(text);
    }
}

impl Default for TerminalBars {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for TerminalBars {
    fn start(&self, label: &str, total: Option<u64>) -> Box<dyn Bar> {
        let bar = match total {
            Some(total) => ProgressBar::new(total).with_style(style("{msg:<32} {bar:28} {pos}/{len} {eta:>4}")),
            None => ProgressBar::new_spinner().with_style(style("{msg:<32} {spinner} {elapsed}")),
        };
        let bar = self.bars.add(bar).with_message(label.to_string());
        bar.enable_steady_tick(Duration::from_millis(200));
        Box::new(TerminalBar(bar))
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

struct TerminalBar(ProgressBar);

impl Bar for TerminalBar {
    fn advance(&self, units: u64) {
        self.0.inc(units);
    }
}

impl Drop for TerminalBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
