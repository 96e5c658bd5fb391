//! Points in time to numbers: parts of the calendar, holidays, the time between two of them.
//!
//! Points in time are in UTC, as readers give them; a setter moves them to local time where days and hours are meant there.

mod between;
mod holidays;
mod parts;
mod since;

use stagewise_core::registry::Registry;
use stagewise_core::schema::{Field, Kind};

pub use between::{FittedTimeBetween, TimeBetween};
pub use holidays::{FittedHolidays, Holidays};
pub use parts::{DatePart, DateParts, FittedDateParts};
pub use since::{FittedTimeSince, TimeSince, TimeUnit};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<DateParts>()
        .transformer::<Holidays>()
        .transformer::<TimeSince>()
        .transformer::<TimeBetween>();
}

/// The field of a number that is made of a point in time.
fn number(name: String, of: &Field) -> Field {
    Field::derived(name, Kind::Number, [of]).missing(of.missing)
}
