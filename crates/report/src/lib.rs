//! Reports for stagewise: terminal text and self-contained HTML with SVG charts.
//!
//! Results describe themselves as [`Section`](stagewise_core::exhibit::Section)s; here sections are drawn.
//!
//! | as | where |
//! |---|---|
//! | text for a terminal or a log | [`text`] |
//! | one HTML file | [`Page`] |
//! | one SVG picture | [`chart::draw`] |
//!
//! All three are pure functions of the sections: the same bytes for the same sections, no date, no random numbers, no
//! resource from elsewhere. Text from data is escaped, numbers that are not finite are left out of charts and counted.

pub mod chart;
mod escape;
pub mod page;
pub mod text;

pub use page::Page;
