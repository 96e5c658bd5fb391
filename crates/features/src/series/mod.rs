//! What the past of an entity tells: lags, windows, smoothed values; over a table of events, and live, event by event.
//!
//! A transformer answers each row from the row alone, and so cannot know what came before it. So these features are made
//! ahead of the pipeline: from a table of events ([`Series::compute`]), and at serving by a [`LiveSeries`] that is told of
//! every event as it comes. Both run the same code on the same events in the same order, so they agree to the bit.
//!
//! A row sees what lies strictly before it: not itself, and not the rows of its own moment.

pub(crate) mod history;
pub(crate) mod live;
mod past;
mod smooth;
mod spec;

pub use live::LiveSeries;
pub use past::{Past, Statistic, Window};
pub use spec::Series;
