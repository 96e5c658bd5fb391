//! What a result shows to people, in a form that knows neither terminal nor HTML.
//!
//! Every result of every crate describes itself as a [`Section`]; the crate `stagewise-report` draws sections. So the
//! results stay where they are computed, and how they look is written once.

/// A result that can be shown.
pub trait Exhibit {
    /// What to show, most important first.
    fn exhibit(&self) -> Section;
}

/// A titled run of blocks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// The title.
    pub title: String,
    /// What stands below it.
    pub blocks: Vec<Block>,
}

impl Section {
    /// An empty section.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), blocks: Vec::new() }
    }

    /// Adds a block.
    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.block(Block::Text(text.into()))
    }
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Block {
    /// A chart.
    Chart(Chart),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// Rows under headings.
    Table {
        /// The headings.
        columns: Vec<String>,
        /// The rows, each as long as the headings.
        rows: Vec<Vec<String>>,
    },
    /// A paragraph.
    Text(String),
    /// Something to heed.
    Warning(String),
}

/// A chart, by what it shows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Chart {
    /// One value per name.
    Bars {
        /// The title.
        title: String,
        /// Names and values, in order.
        items: Vec<(String, f64)>,
        /// A value to mark, for example a limit.
        mark: Option<f64>,
    },
    /// Counts over common bins, one row of counts per series.
    Histogram {
        /// The title.
        title: String,
        /// `b + 1` edges, ascending.
        edges: Vec<f64>,
        /// Names and `b` shares each.
        series: Vec<(String, Vec<f64>)>,
    },
    /// An estimate and its interval per name.
    Intervals {
        /// The title.
        title: String,
        /// Name, lower end, estimate, upper end.
        items: Vec<(String, f64, f64, f64)>,
    },
    /// Curves.
    Lines {
        /// The title.
        title: String,
        /// What runs to the right.
        x: String,
        /// What runs upwards.
        y: String,
        /// Names and points.
        series: Vec<(String, Vec<(f64, f64)>)>,
    },
    /// A value for each cell of a grid, shaded by sign and size.
    Heat {
        /// The title.
        title: String,
        /// What runs to the right.
        x: String,
        /// What runs downwards.
        y: String,
        /// What the columns are called, from left to right.
        columns: Vec<String>,
        /// What the rows are called, from the top, and the values of each, as many as there are columns.
        rows: Vec<(String, Vec<f64>)>,
    },
    /// A cloud of points per name, side by side along a common axis, shaded from low to high.
    Swarm {
        /// The title.
        title: String,
        /// What runs to the right.
        x: String,
        /// What shades the points.
        shade: String,
        /// Names and points, in order.
        items: Vec<SwarmItem>,
    },
}

/// One row of a [`Chart::Swarm`].
#[derive(Debug, Clone, PartialEq)]
pub struct SwarmItem {
    /// The name.
    pub name: String,
    /// Where each point lies on the axis, and its shade from 0 (low) to 1 (high); none where there is nothing to shade it
    /// by.
    pub points: Vec<(f64, Option<f64>)>,
}

/// A number for people: four significant digits, no needless zeros.
///
/// ```
/// use stagewise_core::exhibit::number;
/// assert_eq!(number(0.905_437), "0.9054");
/// assert_eq!(number(48_842.0), "48842");
/// assert_eq!(number(1.5e-9), "1.500e-9");
/// ```
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e9 {
        format!("{value:.0}")
    } else if !value.is_finite() {
        value.to_string()
    } else if !(1e-4..1e9).contains(&size) {
        format!("{value:.3e}")
    } else {
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    }
}
