//! Small trees answered whole, for a block of rows at a time, in vector registers.
//!
//! A value is made the number of thresholds below it, one byte, once for all trees. Then every node of a tree is asked for
//! every row, sixteen rows to a register, from the leaves up: a node's answer is the number of the leaf that a row gets to
//! from there, that of its left child or that of its right. That is more questions than a walk asks, but each costs less
//! than a tenth of a step. Leaves are numbered from left to right, so the choice is `max(left, right & goes right)`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use stagewise_core::matrix::Features;

use crate::tree::structure::{Node, Rule, Tree};
use crate::tree::thresholds::Room;
use crate::tree::walk::ranks::Ranks;

/// Rows of a block.
pub(super) const ROWS: usize = 256;
/// The most leaves of a tree, and one more than the most thresholds of a feature: what a byte counts.
const BYTE: usize = 256;
/// The most levels of a category.
const LEVELS: usize = u16::MAX as usize;
/// The most bytes of all tables of levels.
const TABLES: usize = 1 << 26;
/// Planes of answers that wait for the other child; `1 + log2(BYTE)` is enough.
const SLOTS: usize = 16;

/// Leaves that are added at a time.
const LANES: usize = 4;

/// Sixteen bytes: a register.
type Chunk = [u8; 16];
/// A byte for each row of a block.
pub(super) type Plane = [Chunk; ROWS / 16];

/// What trees ask of the features: whether bytes can hold it.
#[derive(Debug, Default)]
pub(super) struct Questions {
    numbers: BTreeMap<usize, BTreeSet<u64>>,
    levels: BTreeMap<usize, (usize, usize)>,
}

impl Questions {
    /// With the questions of one more tree, if bytes can hold them.
    pub(super) fn with(&mut self, tree: &Tree, outputs: usize) -> bool {
        if tree.leaves() > BYTE {
            return false;
        }
        let mut added = Vec::new();
        let levels = self.levels.clone();
        for at in 0..tree.len() {
            match tree.node(at, outputs) {
                Some(Node::Split { feature, rule: Rule::AtMost(threshold), .. }) => {
                    let key = ordered(threshold);
                    if self.numbers.entry(feature).or_default().insert(key) {
                        added.push((feature, key));
                    }
                }
                Some(Node::Split { feature, rule: Rule::Among(set), .. }) => {
                    let (most, nodes) = self.levels.entry(feature).or_default();
                    *most = set.levels().max(*most);
                    *nodes += 1;
                }
                _ => {}
            }
        }
        let tables: f64 = self.levels.values().map(|&(most, nodes)| (most + 1) as f64 * nodes.div_ceil(8) as f64).sum();
        let fits = self.numbers.values().all(|thresholds| thresholds.len() < BYTE)
            && self.levels.values().all(|&(most, _)| most < LEVELS)
            && tables <= TABLES as f64;
        if !fits {
            for (feature, key) in added {
                self.numbers.entry(feature).or_default().remove(&key);
            }
            self.levels = levels;
        }
        fits
    }

    /// How many features must be ranked before the first tree.
    pub(super) fn ranked(&self) -> usize {
        self.numbers.len()
    }
}

/// A number whose order is that of the values, where the zeros are one.
fn ordered(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn unordered(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// A feature that nodes ask the level of: its codes, and the plane of the table that is looked up last.
#[derive(Debug)]
struct Codes {
    feature: usize,
    levels: usize,
    plane: usize,
    /// How many nodes the last table answers, and where it begins.
    nodes: usize,
    table: usize,
}

/// What to do with the planes.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Right if the rank is above this, both with the highest bit turned, for registers compare signed bytes.
    Rank(u8),
    /// Left if this bit is set.
    Bit(u8),
    /// Looks levels up in the table that begins here.
    Look { codes: u32, table: u32 },
}

/// The answer of a child.
#[derive(Debug, Clone, Copy)]
enum Child {
    Leaf(u8),
    Slot(u8),
}

#[derive(Debug, Clone, Copy)]
struct Op {
    act: Act,
    plane: u32,
    left: Child,
    right: Child,
    into: u8,
}

#[derive(Debug)]
struct Swept {
    ops: Range<usize>,
    /// Where the values of the leaves begin, and how many they are.
    values: Range<usize>,
    output: usize,
    width: usize,
}

/// Trees for sweeps.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    ranks: Vec<Ranks>,
    codes: Vec<Codes>,
    planes: usize,
    tables: Vec<u8>,
    ops: Vec<Op>,
    values: Vec<f64>,
    trees: Vec<Swept>,
}

/// The planes of one thread.
#[derive(Debug)]
pub(super) struct Scratch {
    planes: Vec<Plane>,
    codes: Vec<[u16; ROWS]>,
    slots: [Plane; SLOTS],
    room: Room,
    table: [f64; BYTE],
}

impl Sweep {
    /// These trees, which ask these questions and are sound.
    pub(super) fn of(questions: &Questions, trees: &[Tree], outputs: usize) -> Self {
        let mut all = Self::default();
        for (&feature, keys) in &questions.numbers {
            all.ranks.push(Ranks::of(feature, keys.iter().map(|&key| unordered(key)).collect()));
        }
        for (&feature, &(levels, _)) in &questions.levels {
            all.codes.push(Codes { feature, levels, plane: all.planes, nodes: 0, table: 0 });
            all.planes += 1;
        }
        for tree in trees {
            let (ops, values) = (all.ops.len(), all.values.len());
            // Children stand behind their parents: from the last, the leaves below each node and the slots it needs.
            let mut below = vec![(1, 0); tree.len()];
            for at in (0..tree.len()).rev() {
                if let Some(Node::Split { left, right, .. }) = tree.node(at, outputs) {
                    let ((l, a), (r, b)) = (below[left], below[right]);
                    below[at] = (l + r, if a == b { a + 1 } else { a.max(b) });
                }
            }
            all.push(tree, outputs, &below, 0, 0, 0);
            all.leaves(tree, outputs, 0);
            let (output, width) = (tree.output().unwrap_or(0), tree.leaf_width(outputs));
            all.trees.push(Swept { ops: ops..all.ops.len(), values: values..all.values.len(), output, width });
        }
        all
    }

    /// The values of the leaves, from left to right.
    fn leaves(&mut self, tree: &Tree, outputs: usize, at: usize) {
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            match tree.node(at, outputs) {
                Some(Node::Split { left, right, .. }) => open.extend([right, left]),
                Some(Node::Leaf(values)) => self.values.extend_from_slice(values),
                None => {}
            }
        }
    }

    /// Appends what answers a node, its leaves numbered from `first`, with the slots from `slot` on; no deeper than `BYTE`.
    fn push(&mut self, tree: &Tree, outputs: usize, below: &[(usize, u8)], at: usize, first: usize, slot: u8) -> Child {
        let Some(Node::Split { feature, rule, left, right, missing_left }) = tree.node(at, outputs) else {
            return Child::Leaf(first as u8);
        };
        let behind = first + below[left].0;
        // The child that needs more slots goes first, so that few answers wait.
        let (low, high) = if below[left].1 >= below[right].1 {
            let low = self.push(tree, outputs, below, left, first, slot);
            (low, self.push(tree, outputs, below, right, behind, slot + u8::from(matches!(low, Child::Slot(_)))))
        } else {
            let high = self.push(tree, outputs, below, right, behind, slot);
            (self.push(tree, outputs, below, left, first, slot + 1), high)
        };
        let (act, plane) = match rule {
            Rule::AtMost(threshold) => self.rank(feature, threshold, missing_left),
            Rule::Among(set) => {
                let levels = set.levels();
                self.bit(feature, |code| if code < levels { set.contains(code) } else { missing_left })
            }
        };
        self.ops.push(Op { act, plane: plane as u32, left: low, right: high, into: slot });
        Child::Slot(slot)
    }

    fn rank(&mut self, feature: usize, threshold: f64, missing_left: bool) -> (Act, usize) {
        // The questions hold every feature, ascending, and every threshold.
        let at = self.ranks.partition_point(|ranks| ranks.feature < feature);
        let ranks = &mut self.ranks[at];
        let plane = if missing_left { &mut ranks.left } else { &mut ranks.right };
        let plane = *plane.get_or_insert_with(|| {
            self.planes += 1;
            self.planes - 1
        });
        (Act::Rank(ranks.cut(threshold)), plane)
    }

    fn bit(&mut self, feature: usize, left: impl Fn(usize) -> bool) -> (Act, usize) {
        let at = self.codes.partition_point(|codes| codes.feature < feature);
        let codes = &mut self.codes[at];
        if codes.nodes.is_multiple_of(8) {
            codes.table = self.tables.len();
            self.tables.resize(codes.table + codes.levels + 1, 0);
            let act = Act::Look { codes: at as u32, table: codes.table as u32 };
            let none = Child::Leaf(0);
            self.ops.push(Op { act, plane: codes.plane as u32, left: none, right: none, into: 0 });
        }
        let bit = 1 << (codes.nodes % 8);
        codes.nodes += 1;
        // The last cell is for everything that is no level.
        for code in (0..=codes.levels).filter(|&code| left(code)) {
            self.tables[codes.table + code] |= bit;
        }
        (Act::Bit(bit), codes.plane)
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            planes: vec![[[0; 16]; ROWS / 16]; self.planes],
            codes: vec![[0; ROWS]; self.codes.len()],
            slots: [[[0; 16]; ROWS / 16]; SLOTS],
            room: Room::default(),
            table: [0.0; BYTE],
        }
    }

    /// Adds the leaves of these rows, at most [`ROWS`], to `scores`, each `outputs` long.
    pub(super) fn add_rows(
        &self,
        features: &Features,
        rows: Range<usize>,
        scratch: &mut Scratch,
        scores: &mut [f64],
        outputs: usize,
    ) {
        let mut column = [0.0; ROWS];
        for ranks in &self.ranks {
            features.write(ranks.feature, rows.clone(), &mut column);
            ranks.fill(&column, &mut scratch.room, &mut scratch.planes);
        }
        for (codes, of_rows) in self.codes.iter().zip(&mut scratch.codes) {
            features.write(codes.feature, rows.clone(), &mut column);
            let levels = codes.levels as f64;
            for (code, &x) in of_rows.iter_mut().zip(&column) {
                *code = if x >= 0.0 && x < levels { x as u16 } else { codes.levels as u16 };
            }
        }
        for tree in &self.trees {
            if tree.ops.is_empty() {
                scratch.slots[0] = [[0; 16]; ROWS / 16];
            }
            for op in &self.ops[tree.ops.clone()] {
                self.run(op, scratch);
            }
            let values = &self.values[tree.values.clone()];
            let leaves = &scratch.slots[0].as_flattened()[..rows.len()];
            if outputs == 1 {
                // Of a length that every byte is below.
                let table = &mut scratch.table;
                table[..values.len()].copy_from_slice(values);
                let (scores, last) = scores.as_chunks_mut::<LANES>();
                let (leaves, others) = leaves.as_chunks::<LANES>();
                for (scores, leaves) in scores.iter_mut().zip(leaves) {
                    for lane in 0..LANES {
                        scores[lane] += table[usize::from(leaves[lane])];
                    }
                }
                for (score, &leaf) in last.iter_mut().zip(others) {
                    *score += table[usize::from(leaf)];
                }
            } else {
                for (scores, &leaf) in scores.chunks_exact_mut(outputs).zip(leaves) {
                    let values = &values[usize::from(leaf) * tree.width..][..tree.width];
                    scores[tree.output..].iter_mut().zip(values).for_each(|(score, value)| *score += value);
                }
            }
        }
    }

    #[inline(always)]
    fn run(&self, op: &Op, scratch: &mut Scratch) {
        let Scratch { planes, codes, slots, .. } = scratch;
        let plane = &mut planes[op.plane as usize];
        match op.act {
            Act::Rank(cut) => choose(op, plane, slots, |rank| if rank as i8 > cut as i8 { 255 } else { 0 }),
            Act::Bit(bit) => choose(op, plane, slots, |bits| if bits & bit == 0 { 255 } else { 0 }),
            Act::Look { codes: at, table } => {
                let at = at as usize;
                let table = &self.tables[table as usize..][..=self.codes[at].levels];
                for (bits, &code) in plane.as_flattened_mut().iter_mut().zip(&codes[at]) {
                    *bits = table[usize::from(code)];
                }
            }
        }
    }
}

#[inline(always)]
fn choose(op: &Op, plane: &Plane, slots: &mut [Plane; SLOTS], right: impl Fn(u8) -> u8 + Copy) {
    let into = usize::from(op.into) % SLOTS;
    match (op.left, op.right) {
        (Child::Leaf(l), Child::Leaf(r)) => blend(plane, slots, into, right, |_, _| [l; 16], |_, _| [r; 16]),
        (Child::Leaf(l), Child::Slot(r)) => {
            let r = usize::from(r) % SLOTS;
            blend(plane, slots, into, right, |_, _| [l; 16], |slots, at| slots[r][at]);
        }
        (Child::Slot(l), Child::Leaf(r)) => {
            let l = usize::from(l) % SLOTS;
            blend(plane, slots, into, right, |slots, at| slots[l][at], |_, _| [r; 16]);
        }
        (Child::Slot(l), Child::Slot(r)) => {
            let (l, r) = (usize::from(l) % SLOTS, usize::from(r) % SLOTS);
            blend(plane, slots, into, right, |slots, at| slots[l][at], |slots, at| slots[r][at]);
        }
    }
}

#[inline(always)]
fn blend(
    plane: &Plane,
    slots: &mut [Plane; SLOTS],
    into: usize,
    goes_right: impl Fn(u8) -> u8,
    left: impl Fn(&[Plane; SLOTS], usize) -> Chunk,
    right: impl Fn(&[Plane; SLOTS], usize) -> Chunk,
) {
    for at in 0..ROWS / 16 {
        let (asked, left, right) = (&plane[at], left(slots, at), right(slots, at));
        slots[into][at] = std::array::from_fn(|i| left[i].max(right[i] & goes_right(asked[i])));
    }
}
