//! One isolation tree: rows drawn, and parted by cuts at random until each is alone.
//!
//! Columns are taken in the order of their names, so that their order in the table decides nothing. A column that does not
//! part the rows of a node does not part those below it either and is not asked again there.

use std::ops::Range;

use stagewise_core::table::Table;
use stagewise_numeric::random::Stream;

use crate::tree::structure::Tree;
use crate::tree::values::Values;

/// Rows to part.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    /// The columns, in the order of the table.
    columns: Vec<Values<'a>>,
    /// Their places, by name.
    order: Vec<u32>,
    /// What is still to be expected of so many rows.
    pub(super) paths: Vec<f64>,
}

/// What parts the rows of a node.
#[derive(Debug)]
enum Cut {
    At { threshold: f64, missing_left: bool },
    Among { left: Levels, missing_left: bool },
}

/// Some of the levels `0..count`: bit `c % 64` of word `c / 64` says whether `c` is one.
#[derive(Debug)]
struct Levels {
    words: Vec<u64>,
    count: usize,
}

/// A node whose rows are known and whose split is not.
struct Open {
    rows: Range<usize>,
    depth: usize,
    /// How many columns are known to part nothing here: those that come first in the order.
    idle: usize,
    parent: Option<(usize, bool)>,
}

impl<'a> Ground<'a> {
    /// The columns of a table without text and timestamps, and the paths of up to so many rows.
    pub(super) fn of(table: &'a Table, paths: Vec<f64>) -> Self {
        let columns = table.columns().iter().filter_map(Values::of).collect();
        let names = table.schema().names();
        let mut order: Vec<u32> = (0..names.len() as u32).collect();
        order.sort_by(|&a, &b| names[a as usize].cmp(&names[b as usize]));
        Self { columns, order, paths }
    }

    /// Grows a tree on these rows, of at most so many splits on a way.
    pub(super) fn grow(&self, mut rows: Vec<u32>, most: usize, stream: &mut Stream) -> Tree {
        let mut tree = Tree::new();
        let mut order = self.order.clone();
        let mut scratch = Vec::with_capacity(rows.len());
        let mut open = vec![Open { rows: 0..rows.len(), depth: 0, idle: 0, parent: None }];
        while let Some(Open { rows: range, depth, mut idle, parent }) = open.pop() {
            let here = &mut rows[range.clone()];
            let split =
                if depth < most && here.len() > 1 { self.part(here, &mut order, &mut idle, stream) } else { None };
            let at = match &split {
                None => tree.leaf(&[depth as f64 + self.paths[here.len()]]),
                Some((column, Cut::At { threshold, missing_left })) => tree.split(*column, *threshold, *missing_left),
                Some((column, Cut::Among { left, missing_left })) => {
                    let codes = (0..left.count).filter(|&code| left.holds(code));
                    tree.split_levels(*column, codes, left.count, *missing_left)
                }
            };
            tree.weigh(at, here.len() as f64, 0.0);
            if let Some((parent, left)) = parent {
                tree.link(parent, left, at);
            }
            let Some((column, cut)) = split else { continue };
            scratch.clear();
            let values = self.columns[column];
            let mut kept = 0;
            for at in 0..here.len() {
                let row = here[at];
                if cut.goes_left(values.at(row)) {
                    here[kept] = row;
                    kept += 1;
                } else {
                    scratch.push(row);
                }
            }
            here[kept..].copy_from_slice(&scratch);
            let middle = range.start + kept;
            for (rows, left) in [(middle..range.end, false), (range.start..middle, true)] {
                open.push(Open { rows, depth: depth + 1, idle, parent: Some((at, left)) });
            }
        }
        tree
    }

    /// A column that parts these rows, each as likely, and where; none if they are alike in all.
    fn part(&self, rows: &[u32], order: &mut [u32], idle: &mut usize, stream: &mut Stream) -> Option<(usize, Cut)> {
        while *idle < order.len() {
            let drawn = *idle + stream.below(order.len() - *idle);
            let column = order[drawn] as usize;
            if let Some(cut) = self.columns[column].cut(rows, stream) {
                return Some((column, cut));
            }
            order.swap(drawn, *idle);
            *idle += 1;
        }
        None
    }
}

/// How the values of a node's rows are parted.
impl Values<'_> {
    /// A cut that leaves rows on both sides.
    fn cut(self, rows: &[u32], stream: &mut Stream) -> Option<Cut> {
        match self {
            Self::Levels(_, levels) => self.cut_levels(rows, levels, stream),
            _ => self.cut_numbers(rows, stream),
        }
    }

    /// Evenly between the smallest and the largest value.
    fn cut_numbers(self, rows: &[u32], stream: &mut Stream) -> Option<Cut> {
        let (mut low, mut high, mut known) = (f64::MAX, f64::MIN, 0);
        for x in rows.iter().map(|&row| self.at(row)).filter(|x| !x.is_nan()) {
            // An infinite value counts as the largest number there is.
            let x = x.clamp(f64::MIN, f64::MAX);
            (low, high, known) = (low.min(x), high.max(x), known + 1);
        }
        let missing = rows.len() - known;
        if known == 0 || (low == high && missing == 0) {
            return None;
        }
        if low == high {
            return Some(Cut::At { threshold: f64::INFINITY, missing_left: false });
        }
        let share = stream.unit();
        let between = low * (1.0 - share) + high * share;
        // Rounding must not leave a side empty.
        let threshold = if between >= low && between < high { between } else { low };
        let left = rows.iter().filter(|&&row| self.at(row) <= threshold).count();
        Some(Cut::At { threshold, missing_left: towards(left, known, stream) })
    }

    /// Each level goes left by the toss of a coin, also those that no row here has.
    fn cut_levels(self, rows: &[u32], count: usize, stream: &mut Stream) -> Option<Cut> {
        let known: Vec<usize> =
            rows.iter().map(|&row| self.at(row)).filter(|x| !x.is_nan()).map(|x| x as usize).collect();
        let mut here = known.clone();
        here.sort_unstable();
        here.dedup();
        let words = count.div_ceil(64);
        if here.len() < 2 {
            let parts = here.len() == 1 && known.len() < rows.len();
            return parts
                .then(|| Cut::Among { left: Levels { words: vec![u64::MAX; words], count }, missing_left: false });
        }
        let mut left = Levels { words: (0..words).map(|_| stream.next_u64()).collect(), count };
        if here.iter().all(|&code| left.holds(code) == left.holds(here[0])) {
            left.turn(here[stream.below(here.len())]);
        }
        let on_left = known.iter().filter(|&&code| left.holds(code)).count();
        Some(Cut::Among { left, missing_left: towards(on_left, known.len(), stream) })
    }
}

impl Levels {
    fn holds(&self, code: usize) -> bool {
        self.words[code / 64] >> (code % 64) & 1 == 1
    }

    fn turn(&mut self, code: usize) {
        self.words[code / 64] ^= 1 << (code % 64);
    }
}

/// Missing values go left as likely as known ones did.
fn towards(left: usize, known: usize, stream: &mut Stream) -> bool {
    stream.below(known) < left
}

impl Cut {
    fn goes_left(&self, x: f64) -> bool {
        match self {
            Self::At { missing_left, .. } | Self::Among { missing_left, .. } if x.is_nan() => *missing_left,
            Self::At { threshold, .. } => x <= *threshold,
            Self::Among { left, .. } => left.holds(x as usize),
        }
    }
}

/// The rows of one tree among those present: each at most once; of rows that weigh, each as many times as its share.
///
/// Weighed rows are laid end to end in a random order, and every `total / size` along the way one is taken (Madow 1949), so
/// a row comes its weight's share of `size` times, rounded up or down.
pub(super) fn draw(present: &[u32], weights: Option<&[f64]>, size: usize, stream: &mut Stream) -> Vec<u32> {
    let Some(weights) = weights else {
        return stream.choose(present.len(), size).into_iter().map(|at| present[at]).collect();
    };
    let mut order = present.to_vec();
    stream.shuffle(&mut order);
    let largest = order.iter().map(|&row| weights[row as usize]).fold(0.0, f64::max);
    // Sums of the largest weights must not overflow.
    let weight = |row: u32| weights[row as usize] / largest;
    let total: f64 = order.iter().map(|&row| weight(row)).sum();
    let first = stream.unit();
    let mut drawn = Vec::with_capacity(size);
    let mut end = 0.0;
    for &row in &order {
        end += weight(row);
        while drawn.len() < size && (first + drawn.len() as f64) * total < end * size as f64 {
            drawn.push(row);
        }
    }
    // What rounding left out at the end of the way.
    drawn.resize(size, order[order.len() - 1]);
    drawn
}
