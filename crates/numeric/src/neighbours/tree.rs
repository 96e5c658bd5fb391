//! Points in tiles of 64, near ones together, and a tree of boxes over the tiles.
//!
//! The rows are halved at the median of the widest axis until a tile is left. Nodes stand in preorder: the left child of
//! node `i` is `i + 1`, the right one comes after the `2·leaves − 1` nodes of the left. A tile holds panels of 8 points,
//! axis by axis, so that one register load takes the same axis of neighbouring points.

use super::Axis;
use crate::key::order_key;

/// Points of a tile.
pub(super) const TILE: usize = 64;
/// Points of a panel: their distances are summed in registers.
const LANES: usize = 8;
/// From here on both halves are ordered in parallel.
const PARALLEL: usize = 1 << 13;

/// The points, in the order of the tree.
#[derive(Clone, Debug)]
pub(super) struct Tiles {
    /// The row of each place, and the place of each row.
    rows: Vec<usize>,
    places: Vec<usize>,
    numbers: usize,
    /// What differing codes add, one per level axis.
    apart: Vec<f64>,
    /// Coordinates by place.
    points: Vec<f64>,
    /// Coordinates by tile, panel, axis and lane.
    panels: Vec<f64>,
    /// Least and greatest coordinates of each node.
    boxes: Vec<(f64, f64)>,
}

impl Tiles {
    pub(super) fn new(axes: &[Axis<'_>], rows: usize) -> Self {
        let of_number = |axis: &Axis<'_>| match axis {
            Axis::Number(values) => Some((values[..rows].to_vec(), f64::INFINITY)),
            Axis::Level { .. } => None,
        };
        let of_level = |axis: &Axis<'_>| match axis {
            Axis::Number(_) => None,
            Axis::Level { codes, apart } => {
                Some((codes[..rows].iter().map(|&code| f64::from(code)).collect(), apart * apart))
            }
        };
        let levels: Vec<(Vec<f64>, f64)> = axes.iter().filter_map(of_level).collect();
        let apart: Vec<f64> = levels.iter().map(|level| level.1).collect();
        let columns: Vec<(Vec<f64>, f64)> = axes.iter().filter_map(of_number).chain(levels).collect();
        let numbers = columns.len() - apart.len();

        let mut order: Vec<usize> = (0..rows).collect();
        arrange(&columns, &mut order);
        let mut places = vec![0; rows];
        order.iter().enumerate().for_each(|(place, &row)| places[row] = place);
        let dims = columns.len();
        let mut points = Vec::with_capacity(rows * dims);
        order.iter().for_each(|&row| points.extend(columns.iter().map(|column| column.0[row])));
        let mut panels = vec![f64::NAN; rows.div_ceil(TILE) * TILE * dims];
        for place in 0..rows {
            let (panel, lane) = (place / LANES, place % LANES);
            for axis in 0..dims {
                panels[(panel * dims + axis) * LANES + lane] = points[place * dims + axis];
            }
        }
        let mut tiles = Self { rows: order, places, numbers, apart, points, panels, boxes: Vec::new() };
        let leaves = tiles.leaves();
        if leaves > 0 {
            tiles.boxes = vec![(f64::INFINITY, f64::NEG_INFINITY); (2 * leaves - 1) * dims];
            tiles.enclose(0, 0, leaves);
        }
        tiles
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many tiles.
    pub(super) fn leaves(&self) -> usize {
        self.len().div_ceil(TILE)
    }

    pub(super) fn row(&self, place: usize) -> usize {
        self.rows[place]
    }

    pub(super) fn place(&self, row: usize) -> usize {
        self.places[row]
    }

    /// The coordinates of the point at a place.
    pub(super) fn point(&self, place: usize) -> &[f64] {
        &self.points[place * self.dims()..][..self.dims()]
    }

    /// The rows of the points of a tile.
    pub(super) fn rows_of(&self, tile: usize) -> &[usize] {
        &self.rows[tile * TILE..self.len().min((tile + 1) * TILE)]
    }

    pub(super) fn same_axes(&self, other: &Self) -> bool {
        self.numbers == other.numbers && self.apart == other.apart
    }

    fn dims(&self) -> usize {
        self.numbers + self.apart.len()
    }

    /// The squared distances of `query` from the points of a tile; what lies past its last point is NaN.
    pub(super) fn distances(&self, tile: usize, query: &[f64], out: &mut [f64; TILE]) {
        let (numbers, levels) = query.split_at(self.numbers);
        let size = self.dims() * LANES;
        let panels = &self.panels[tile * TILE / LANES * size..][..TILE / LANES * size];
        for (panel, out) in panels.chunks_exact(size).zip(out.chunks_exact_mut(LANES)) {
            let mut sum = [0.0; LANES];
            let (of_numbers, of_levels) = panel.split_at(self.numbers * LANES);
            for (values, &x) in of_numbers.as_chunks::<LANES>().0.iter().zip(numbers) {
                for lane in 0..LANES {
                    let gap = values[lane] - x;
                    sum[lane] += gap * gap;
                }
            }
            for ((codes, &x), &apart) in of_levels.as_chunks::<LANES>().0.iter().zip(levels).zip(&self.apart) {
                for lane in 0..LANES {
                    sum[lane] += if codes[lane] == x { 0.0 } else { apart };
                }
            }
            out.copy_from_slice(&sum);
        }
    }

    /// What no point in the box of `node` is nearer than. Each term and each sum is rounded like that of a distance, which
    /// is monotone, so the bound holds to the bit.
    pub(super) fn bound(&self, node: usize, query: &[f64]) -> f64 {
        let dims = self.dims();
        let (of_numbers, of_levels) = self.boxes[node * dims..][..dims].split_at(self.numbers);
        let mut sum = 0.0;
        for (&(low, high), &x) in of_numbers.iter().zip(query) {
            let gap = (low - x).max(x - high).max(0.0);
            sum += gap * gap;
        }
        for ((&(low, high), &x), &apart) in of_levels.iter().zip(&query[self.numbers..]).zip(&self.apart) {
            sum += if low <= x && x <= high { 0.0 } else { apart };
        }
        sum
    }

    /// Fills the boxes of `node`, which holds `leaves` tiles from `tile` on, and of all below it.
    fn enclose(&mut self, node: usize, tile: usize, leaves: usize) {
        let dims = self.dims();
        let widen = |(low, high): (f64, f64), (least, most): (f64, f64)| (low.min(least), high.max(most));
        if leaves == 1 {
            for place in tile * TILE..self.len().min((tile + 1) * TILE) {
                for axis in 0..dims {
                    let x = self.points[place * dims + axis];
                    let corner = &mut self.boxes[node * dims + axis];
                    *corner = widen(*corner, (x, x));
                }
            }
            return;
        }
        let half = halved(leaves);
        let (left, right) = (node + 1, node + 2 * half);
        self.enclose(left, tile, half);
        self.enclose(right, tile + half, leaves - half);
        for axis in 0..dims {
            self.boxes[node * dims + axis] = widen(self.boxes[left * dims + axis], self.boxes[right * dims + axis]);
        }
    }
}

/// How many of the tiles of a node are in its left child.
pub(super) fn halved(leaves: usize) -> usize {
    leaves.div_ceil(2)
}

/// Orders `rows` so that those of a tile lie together. The cut is at a whole tile, so only the last one is not full.
fn arrange(columns: &[(Vec<f64>, f64)], rows: &mut [usize]) {
    let leaves = rows.len().div_ceil(TILE);
    if leaves <= 1 {
        rows.sort_unstable();
        return;
    }
    let middle = halved(leaves) * TILE;
    if let Some(axis) = widest(columns, rows) {
        // Row numbers make every key unlike every other: which rows go left does not hang on the algorithm.
        rows.select_nth_unstable_by_key(middle, |&row| (order_key(columns[axis].0[row]), row));
    }
    let (left, right) = rows.split_at_mut(middle);
    if left.len() < PARALLEL {
        arrange(columns, left);
        arrange(columns, right);
    } else {
        rayon::join(|| arrange(columns, left), || arrange(columns, right));
    }
}

/// The axis on which the rows lie farthest apart; `None` if they all lie in one place.
fn widest(columns: &[(Vec<f64>, f64)], rows: &[usize]) -> Option<usize> {
    let spread = |(values, most): &(Vec<f64>, f64)| {
        let ends = rows.iter().map(|&row| values[row]).filter(|x| x.is_finite());
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if low < high { ((high - low) * (high - low)).min(*most) } else { 0.0 }
    };
    let mut best = (0.0, None);
    for (axis, column) in columns.iter().enumerate() {
        let spread = spread(column);
        if spread > best.0 {
            best = (spread, Some(axis));
        }
    }
    best.1
}
