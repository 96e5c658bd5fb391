//! What a Parquet file says of itself, held against its own bytes before the decoder sees it.
//!
//! The decoder takes memory for what a file promises: rows, pages, widths. Damaged, a file may promise 2⁶¹ bytes, and
//! memory that cannot be had ends the program. So every promise is checked: footer and page headers against the bytes
//! that are there, pages against their column, columns against their row group, row groups against the file, and the
//! whole against a limit.

use std::ops::Range;

use super::headers::{FILE, PAGE};
use super::thrift::{Event, walk};

const MAGIC: &[u8] = b"PAR1";
/// How many bytes at the end say where the footer begins.
pub(super) const TAIL: usize = 8;
/// How deep columns may be nested.
const DEEPEST: usize = 64;
/// Encodings whose pages hold lengths that the decoder believes.
const DELTAS: std::ops::RangeInclusive<i64> = 5..=7;

type Checked<T> = Result<T, String>;

/// The most memory that a file of this size may ask for, unless the caller says otherwise.
pub(super) fn usual_limit(bytes: usize) -> u64 {
    (1 << 30_u64).max(1000 * bytes as u64)
}

/// Checks all that a file promises. `O(bytes of footer + pages)`; pages are not unpacked.
///
/// # Errors
/// The first promise that is not kept, as text.
pub(super) fn check(bytes: &[u8], limit: u64) -> Checked<()> {
    let start = footer_start(bytes.len() as u64, bytes, bytes)?;
    let place = usize::try_from(start).unwrap_or(usize::MAX);
    let promises = Promises::new(bytes.get(place..bytes.len() - TAIL).unwrap_or_default(), start)?;
    let mut memory = 0_u64;
    for group in 0..promises.groups() {
        for chunk in promises.chunks(group, |_| true)? {
            let range = usize::try_from(chunk.bytes.start).ok().zip(usize::try_from(chunk.bytes.end).ok());
            let within = range.and_then(|(from, to)| bytes.get(from..to)).unwrap_or_default();
            memory = memory.saturating_add(promises.unpacked(&chunk, within)?);
        }
    }
    within(memory, limit)
}

/// Holds what would be unpacked against the limit.
pub(super) fn within(memory: u64, limit: u64) -> Checked<()> {
    if memory > limit {
        return Err(format!("it would unpack to {memory} bytes, the limit is {limit}: see `Parquet::memory`"));
    }
    Ok(())
}

/// Where the footer of a file of `length` bytes begins, by its first and last bytes.
pub(super) fn footer_start(length: u64, first: &[u8], last: &[u8]) -> Checked<u64> {
    let tail = length.checked_sub(TAIL as u64).filter(|&at| at >= 4).ok_or("it is shorter than the shortest")?;
    if !first.starts_with(MAGIC) || !last.ends_with(MAGIC) {
        return Err("it does not begin and end with PAR1".into());
    }
    let at = last.len().saturating_sub(TAIL);
    let size = last.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let start = tail.checked_sub(u64::from(size)).filter(|&at| at >= 4);
    start.ok_or_else(|| format!("its footer of {size} bytes does not fit into the file"))
}

/// What a file says of itself in its footer, found to agree with itself.
#[derive(Debug)]
pub(super) struct Promises {
    footer: Footer,
    leaves: Vec<Leaf>,
}

/// The values of a column in a row group: where they are.
#[derive(Debug)]
pub(super) struct ChunkBytes {
    pub(super) bytes: Range<u64>,
    group: usize,
    leaf: usize,
}

impl Promises {
    /// Reads the footer, which begins at `start`.
    pub(super) fn new(footer: &[u8], start: u64) -> Checked<Self> {
        let footer = Footer::read(footer, start)?;
        let leaves = leaves(&footer.schema)?;
        let mut rows = 0_u64;
        for (g, group) in footer.groups.iter().enumerate() {
            if group.chunks.len() != leaves.len() {
                return Err(format!("row group {g} has {} columns, the schema {}", group.chunks.len(), leaves.len()));
            }
            rows = rows.saturating_add(natural(group.rows, "rows of a row group")?);
        }
        if i64::try_from(rows) != Ok(footer.rows) {
            return Err(format!("it says it has {} rows, its row groups have {rows}", footer.rows));
        }
        Ok(Self { footer, leaves })
    }

    /// How many row groups there are.
    pub(super) fn groups(&self) -> usize {
        self.footer.groups.len()
    }

    /// How many columns there are; what is nested in one counts as one.
    pub(super) fn columns(&self) -> usize {
        self.leaves.last().map_or(0, |leaf| leaf.column + 1)
    }

    /// How many rows a row group has.
    pub(super) fn rows(&self, group: usize) -> Checked<u64> {
        natural(self.footer.groups.get(group).map_or(0, |group| group.rows), "rows of a row group")
    }

    /// Where the values of a row group are, of the columns that are wanted.
    pub(super) fn chunks(&self, group: usize, wanted: impl Fn(usize) -> bool) -> Checked<Vec<ChunkBytes>> {
        let chunks = self.footer.groups.get(group).map_or(&[][..], |group| &group.chunks);
        let mut found = Vec::new();
        for (leaf, chunk) in chunks.iter().enumerate().filter(|(leaf, _)| wanted(self.leaves[*leaf].column)) {
            let bytes = span(chunk, self.footer.start).map_err(|e| format!("row group {group}, column {leaf}: {e}"))?;
            found.push(ChunkBytes { bytes, group, leaf });
        }
        Ok(found)
    }

    /// How much the bytes of a chunk unpack to.
    pub(super) fn unpacked(&self, chunk: &ChunkBytes, bytes: &[u8]) -> Checked<u64> {
        let ChunkBytes { group, leaf, .. } = *chunk;
        let rows = self.rows(group)?;
        chunk_size(bytes, &self.footer.groups[group].chunks[leaf], &self.leaves[leaf], rows)
            .map_err(|e| format!("row group {group}, column {leaf}: {e}"))
    }
}

#[derive(Debug, Default)]
struct Footer {
    /// Where it begins: nothing else may reach beyond.
    start: u64,
    rows: i64,
    schema: Vec<Element>,
    groups: Vec<Group>,
}

/// A node of the schema, in order from the root.
#[derive(Debug, Default, Clone, Copy)]
struct Element {
    physical: Option<i64>,
    length: i64,
    repetition: i64,
    children: i64,
}

#[derive(Debug, Default)]
struct Group {
    rows: i64,
    chunks: Vec<Chunk>,
}

/// The values of a column in a row group.
#[derive(Debug, Default, Clone)]
struct Chunk {
    values: i64,
    compressed: i64,
    data: i64,
    dictionary: Option<i64>,
    elsewhere: bool,
    delta: bool,
}

/// A column of values.
#[derive(Debug)]
struct Leaf {
    /// Which of the columns of the table it belongs to.
    column: usize,
    /// Bytes that a value takes in memory.
    width: u64,
    /// Bytes that a value takes in a dictionary, at least.
    least: u64,
    repeated: bool,
}

impl Footer {
    fn read(header: &[u8], start: u64) -> Checked<Self> {
        let mut footer = Self { start, ..Self::default() };
        let (mut element, mut group, mut chunk) = (Element::default(), Group::default(), Chunk::default());
        walk(header, 0, &FILE, &mut |path, event| {
            match (path, event) {
                ([3], Event::Int(rows)) => footer.rows = rows,
                ([2], Event::Start) => element = Element::default(),
                ([2], Event::End) => footer.schema.push(element),
                ([2, 1], Event::Int(physical)) => element.physical = Some(physical),
                ([2, 2], Event::Int(length)) => element.length = length,
                ([2, 3], Event::Int(repetition)) => element.repetition = repetition,
                ([2, 5], Event::Int(children)) => element.children = children,
                ([4], Event::Start) => group = Group::default(),
                ([4], Event::End) => footer.groups.push(std::mem::take(&mut group)),
                ([4, 3], Event::Int(rows)) => group.rows = rows,
                ([4, 1], Event::Start) => chunk = Chunk::default(),
                ([4, 1], Event::End) => group.chunks.push(std::mem::take(&mut chunk)),
                ([4, 1, 1], Event::Binary(length)) => chunk.elsewhere = length > 0,
                ([4, 1, 3, 2], Event::Int(encoding)) => chunk.delta |= DELTAS.contains(&encoding),
                ([4, 1, 3, 5], Event::Int(values)) => chunk.values = values,
                ([4, 1, 3, 7], Event::Int(compressed)) => chunk.compressed = compressed,
                ([4, 1, 3, 9], Event::Int(data)) => chunk.data = data,
                ([4, 1, 3, 11], Event::Int(dictionary)) => chunk.dictionary = Some(dictionary),
                _ => {}
            }
            Ok(())
        })
        .map_err(|e| format!("its footer: {e}"))?;
        Ok(footer)
    }
}

/// The columns of values below the root, in order.
fn leaves(schema: &[Element]) -> Checked<Vec<Leaf>> {
    let (root, below) = schema.split_first().ok_or("it has no schema")?;
    let (mut leaves, mut columns) = (Vec::new(), 0_usize);
    // Per open node: how many children are still to come, and whether values in it repeat.
    let mut open = vec![(natural(root.children, "children of the root")?, false)];
    for element in below {
        while open.last().is_some_and(|(left, _)| *left == 0) {
            open.pop();
        }
        columns += usize::from(open.len() == 1);
        let Some((left, repeated)) = open.last_mut() else {
            return Err("its schema has more columns than it says".into());
        };
        *left -= 1;
        let repeated = *repeated || element.repetition == 2;
        if element.children == 0 {
            let (width, least) = widths(element)?;
            leaves.push(Leaf { column: columns.saturating_sub(1), width, least, repeated });
        } else if open.len() > DEEPEST {
            return Err(format!("its columns are nested deeper than {DEEPEST}"));
        } else {
            open.push((natural(element.children, "children of a column")?, repeated));
        }
    }
    if open.iter().any(|(left, _)| *left > 0) {
        return Err("its schema has fewer columns than it says".into());
    }
    Ok(leaves)
}

/// Bytes of a value in memory, and the fewest in a dictionary.
fn widths(element: &Element) -> Checked<(u64, u64)> {
    Ok(match element.physical {
        Some(0) => (1, 0),
        Some(1 | 4) => (4, 4),
        Some(2 | 5) => (8, 8),
        Some(3) => (12, 12),
        // A view of 16 bytes; the bytes themselves are counted with the page.
        Some(6) => (16, 4),
        Some(7) if element.length > 0 => (element.length.cast_unsigned(), element.length.cast_unsigned()),
        Some(7) => return Err(format!("values of {} bytes", element.length)),
        Some(other) => return Err(format!("there is no type {other}")),
        None => return Err("a column has neither a type nor children".into()),
    })
}

/// Where the values of a column of a row group are: before the footer, which begins at `end`.
fn span(chunk: &Chunk, end: u64) -> Checked<Range<u64>> {
    if chunk.elsewhere {
        return Err("its values are in another file".into());
    }
    let from = natural(chunk.dictionary.unwrap_or(chunk.data), "offset of a page")?;
    let length = natural(chunk.compressed, "bytes")?;
    match from.checked_add(length).filter(|&to| from >= 4 && to <= end) {
        Some(to) => Ok(from..to),
        None => Err(format!("{length} bytes at {from} are not in the file")),
    }
}

/// How many bytes a column of a row group unpacks to, by its pages.
fn chunk_size(bytes: &[u8], chunk: &Chunk, leaf: &Leaf, rows: u64) -> Checked<u64> {
    let values = natural(chunk.values, "values")?;
    if values < rows || (values > rows && !leaf.repeated) {
        return Err(format!("{values} values in {rows} rows"));
    }
    let (mut at, mut seen, mut unpacked) = (0, 0, values.saturating_mul(leaf.width));
    let mut place = 0;
    while seen < values {
        let page = page(bytes, at).map_err(|e| format!("page {place}: {e}"))?;
        let refused = |what: String| Err(format!("page {place}: {what}"));
        match page.kind {
            2 if place > 0 => return refused("a dictionary that is not the first page".into()),
            2 if page.values.saturating_mul(leaf.least) > page.unpacked => {
                return refused(format!("a dictionary of {} values in {} bytes", page.values, page.unpacked));
            }
            2 => unpacked = unpacked.saturating_add(page.values.saturating_mul(leaf.width)),
            0 | 3 => seen += page.values,
            other => return refused(format!("there is no kind of page {other}")),
        }
        if DELTAS.contains(&page.encoding) && !chunk.delta {
            return refused(format!("encoding {} is not among those of the column", page.encoding));
        }
        unpacked = unpacked.saturating_add(page.unpacked);
        at = page.end;
        place += 1;
    }
    if seen > values { Err(format!("{seen} values in its pages, {values} are said")) } else { Ok(unpacked) }
}

#[derive(Debug, Default)]
struct Page {
    kind: i64,
    encoding: i64,
    values: u64,
    unpacked: u64,
    end: usize,
}

/// The page whose header begins at `at`.
fn page(bytes: &[u8], at: usize) -> Checked<Page> {
    let mut kind = -1;
    let (mut unpacked, mut packed, mut levels) = (-1, -1, [0, 0]);
    // Values and encoding by kind of page: first version, dictionary, second version.
    let mut counts = [(-1, -1); 3];
    let body = walk(bytes, at, &PAGE, &mut |path, event| {
        let Event::Int(value) = event else { return Ok(()) };
        match path {
            [1] => kind = value,
            [2] => unpacked = value,
            [3] => packed = value,
            [5, 1] => counts[0].0 = value,
            [5, 2] => counts[0].1 = value,
            [7, 1] => counts[1].0 = value,
            [7, 2] => counts[1].1 = value,
            [8, 1] => counts[2].0 = value,
            [8, 4] => counts[2].1 = value,
            [8, 5] => levels[0] = value,
            [8, 6] => levels[1] = value,
            _ => {}
        }
        Ok(())
    })?;
    let (values, encoding) = match kind {
        0 => counts[0],
        2 => counts[1],
        3 => counts[2],
        _ => (0, -1),
    };
    let packed = natural(packed, "bytes of a page")?;
    let unpacked = natural(unpacked, "bytes of a page")?.max(packed);
    for length in levels {
        if natural(length, "bytes of levels")? > packed {
            return Err("levels do not fit into the page".into());
        }
    }
    let end = usize::try_from(packed).ok().and_then(|packed| body.checked_add(packed));
    let end =
        end.filter(|&end| end <= bytes.len()).ok_or_else(|| format!("{packed} bytes do not fit into the column"))?;
    Ok(Page { kind, encoding, values: natural(values, "values of a page")?, unpacked, end })
}

fn natural(value: i64, what: &str) -> Checked<u64> {
    u64::try_from(value).map_err(|_| format!("{what}: {value}"))
}
