//! Arrow IPC, as files (Feather) and as streams: the types are known; only text columns are decided by the rules.
//!
//! As with Parquet, what the bytes promise is checked before the decoder takes memory for it.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use polars::prelude::{DataFrame, IpcReader, IpcStreamReader, SerReader};
use stagewise_core::error::{DataError, Error, Result};
use stagewise_core::schema::{Kind, MissingTokens};

use super::flat::{Flat, Table, int};
use super::many::{Part, read_all};
use super::{Origin, guard};
use crate::frame::{loaded, sources};
use crate::loaded::{Loaded, Wishes, wishes_setters};

const MAGIC: &[u8] = b"ARROW1";
/// How deep columns may be nested.
const DEEPEST: usize = 64;
/// How many dictionaries may come in a row in a stream: the decoder goes one call deeper for each.
const DICTIONARIES: usize = 1000;

/// Reads an Arrow IPC file or stream; which one it is, its first bytes say.
///
/// Types map to kinds as [`from_frame`](crate::frame::from_frame) says. Lists and structures are left out of the table,
/// with a decision. `O(bytes)`.
///
/// ```
/// use stagewise_data::Ipc;
///
/// let error = Ipc::from_bytes(b"a,b\n1,2\n").read().unwrap_err().to_string();
/// assert!(error.starts_with("line 1: this is no readable Arrow file"));
/// ```
#[derive(Debug, Clone)]
pub struct Ipc {
    origin: Origin,
    memory: Option<u64>,
    wishes: Wishes,
}

impl Ipc {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(Origin::File(path.into()))
    }

    /// These bytes.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(Origin::Bytes(bytes.as_ref().into()))
    }

    fn of(origin: Origin) -> Self {
        Self { origin, memory: None, wishes: Wishes::default() }
    }

    /// The most bytes that the file may unpack to. Default: a thousand times its size, and at least 1 GiB.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    wishes_setters!(" in text columns", "type is");

    /// Reads the file.
    ///
    /// # Errors
    /// [`DataError::Malformed`] for bytes that are no Arrow file or stream, are damaged or would unpack to more than the
    /// limit, [`DataError::Unparsable`] for a value that is not of the kind asked for, a file that cannot be read.
    pub fn read(&self) -> Result<Loaded> {
        self.origin.with(|bytes| loaded(&frame(bytes, self.memory)?, &self.wishes))
    }

    /// Reads every file that the path names as a pattern, as one table; see [`Csv::read_all`](crate::Csv::read_all).
    ///
    /// A column must be of one kind in all files; one without values goes with any.
    ///
    /// # Errors
    /// As [`read`](Self::read), with the file; [`DataError::Malformed`] and
    /// [`WrongKind`](stagewise_core::error::SchemaError::WrongKind) for files whose columns do not agree.
    pub fn read_all(&self) -> Result<Loaded> {
        read_all(&self.origin, &self.wishes, |bytes| {
            let frame = frame(bytes, self.memory)?;
            Ok(Part::of(sources(&frame)?, frame.height(), Vec::new()))
        })
    }
}

fn frame(bytes: &[u8], memory: Option<u64>) -> Result<DataFrame> {
    let malformed = |reason: String| -> Error {
        let problem = format!("this is no readable Arrow file ({reason}); write it again from its source");
        DataError::Malformed { line: 1, problem }.into()
    };
    let limit = memory.unwrap_or_else(|| guard::usual_limit(bytes.len()));
    let file = bytes.starts_with(MAGIC);
    if file { check_file(bytes, limit) } else { check_stream(bytes, limit) }.map_err(malformed)?;
    let read = || {
        let bytes = Cursor::new(bytes);
        if file { IpcReader::new(bytes).finish() } else { IpcStreamReader::new(bytes).finish() }
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(frame) => frame.map_err(|e| malformed(e.to_string())),
        Err(_) => Err(malformed("the decoder gave up on damaged bytes".into())),
    }
}

type Checked<T> = std::result::Result<T, String>;

/// A file: a footer at the end says where its batches are.
fn check_file(bytes: &[u8], limit: u64) -> Checked<()> {
    let tail = bytes.len().checked_sub(10).filter(|&at| at >= 8).ok_or("it is shorter than the shortest")?;
    if !bytes.ends_with(MAGIC) {
        return Err("it does not end with ARROW1".into());
    }
    let length = int(bytes, tail, 4)?;
    let start = usize::try_from(length).ok().and_then(|length| tail.checked_sub(length)).filter(|&at| at >= 8);
    let start = start.ok_or_else(|| format!("its footer of {length} bytes does not fit into the file"))?;
    let footer = Flat(bytes.get(start..tail).unwrap_or_default()).root()?;
    schema(footer.table(1)?)?;
    let body = bytes.get(..start).unwrap_or_default();
    let mut memory = 0_u64;
    // Dictionaries and batches: where each begins, how long its header and its body are.
    for field in [2, 3] {
        let blocks = footer.vector(field, 24)?;
        for i in 0..blocks.len {
            let at = natural(blocks.int(i, 24, 0, 8)?, "offset of a batch")?;
            let (header, length) = (blocks.int(i, 24, 8, 4)?, blocks.int(i, 24, 16, 8)?);
            let message = message(body, at)?.ok_or("a batch is empty")?;
            if natural(header, "header of a batch")? != message.body - at || natural(length, "batch")? != message.length
            {
                return Err(format!("batch {i} is not as long as the footer says"));
            }
            memory = memory.saturating_add(message.memory(body)?);
        }
    }
    within(memory, limit)
}

/// A stream: a schema, then batches.
fn check_stream(bytes: &[u8], limit: u64) -> Checked<()> {
    let first = message(bytes, 0)?.ok_or("it is empty")?;
    if first.kind != 1 {
        return Err("it does not begin with a schema".into());
    }
    schema(Some(first.header))?;
    let (mut at, mut memory, mut dictionaries) = (first.end(), 0_u64, 0);
    while at < bytes.len() {
        let Some(message) = message(bytes, at)? else { break };
        dictionaries = if message.kind == 2 { dictionaries + 1 } else { 0 };
        if dictionaries > DICTIONARIES {
            return Err(format!("more than {DICTIONARIES} dictionaries in a row; write it as a file, not as a stream"));
        }
        memory = memory.saturating_add(message.memory(bytes)?);
        at = message.end();
    }
    within(memory, limit)
}

fn within(memory: u64, limit: u64) -> Checked<()> {
    if memory > limit {
        Err(format!("it would unpack to {memory} bytes, the limit is {limit}: see `Ipc::memory`"))
    } else {
        Ok(())
    }
}

/// A header with a body behind it.
struct Message<'a> {
    /// 1 is a schema, 2 a dictionary, 3 a batch.
    kind: i64,
    header: Table<'a>,
    body: usize,
    length: usize,
}

/// The message at `at`; none at the mark that ends a stream.
fn message(bytes: &[u8], at: usize) -> Checked<Option<Message<'_>>> {
    if int(bytes, at, 4)? != -1 {
        return Err(format!("at byte {at} no message begins"));
    }
    let size = natural(int(bytes, at + 4, 4)?, "header of a message")?;
    if size == 0 {
        return Ok(None);
    }
    let body = (at + 8).checked_add(size).filter(|&body| body <= bytes.len()).ok_or("a header does not fit")?;
    let root = Flat(bytes.get(at + 8..body).unwrap_or_default()).root()?;
    let length = natural(root.int(3, 8)?, "body of a message")?;
    if length > bytes.len() - body {
        return Err(format!("a body of {length} bytes does not fit"));
    }
    let header = root.table(2)?.ok_or("a message without a header")?;
    Ok(Some(Message { kind: root.int(1, 1)?, header, body, length }))
}

impl Message<'_> {
    fn end(&self) -> usize {
        self.body + self.length
    }

    /// How many bytes the batch takes when it is unpacked.
    fn memory(&self, bytes: &[u8]) -> Checked<u64> {
        let batch = match self.kind {
            2 => self.header.table(1)?.ok_or("a dictionary without values")?,
            3 => self.header,
            other => return Err(format!("there is no message {other} behind the schema")),
        };
        let mut memory = 0_u64;
        let rows = natural(batch.int(0, 8)?, "rows of a batch")?;
        let nodes = batch.vector(1, 16)?;
        for i in 0..nodes.len {
            let values = natural(nodes.int(i, 16, 0, 8)?, "values of a column")?;
            let missing = natural(nodes.int(i, 16, 8, 8)?, "missing values of a column")?;
            if missing > values {
                return Err(format!("{missing} of {values} values are missing"));
            }
            memory = memory.saturating_add((values as u64).saturating_mul(16));
        }
        if rows > 0 && nodes.len == 0 {
            return Err("rows without a column".into());
        }
        let packed = batch.table(3)?.is_some();
        let buffers = batch.vector(2, 16)?;
        for i in 0..buffers.len {
            let at = natural(buffers.int(i, 16, 0, 8)?, "offset of a buffer")?;
            let length = natural(buffers.int(i, 16, 8, 8)?, "bytes of a buffer")?;
            if at.checked_add(length).is_none_or(|end| end > self.length) {
                return Err(format!("a buffer of {length} bytes does not fit into its batch"));
            }
            // A packed buffer says first how long it is unpacked, or -1 if it is not packed.
            let unpacked = if packed && length > 0 { int(bytes, self.body + at, 8)? } else { -1 };
            if packed && length > 0 && length < 8 {
                return Err("a packed buffer is too short".into());
            }
            let unpacked = if unpacked == -1 { length } else { natural(unpacked, "bytes of a buffer")? };
            memory = memory.saturating_add(unpacked as u64);
        }
        Ok(memory)
    }
}

/// A schema whose columns are not nested too deep to be walked.
fn schema(schema: Option<Table<'_>>) -> Checked<()> {
    let schema = schema.ok_or("it has no schema")?;
    let fields = schema.vector(1, 4)?;
    let mut open = Vec::new();
    for i in 0..fields.len {
        open.push((fields.table(i)?, 1));
        while let Some((field, depth)) = open.pop() {
            if depth > DEEPEST {
                return Err(format!("its columns are nested deeper than {DEEPEST}"));
            }
            let children = field.vector(5, 4)?;
            for child in 0..children.len {
                open.push((children.table(child)?, depth + 1));
            }
        }
    }
    Ok(())
}

fn natural(value: i64, what: &str) -> Checked<usize> {
    usize::try_from(value).map_err(|_| format!("{what}: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::to_frame;
    use polars::prelude::{IpcCompression, IpcStreamWriter, IpcWriter, SerWriter};
    use stagewise_core::column::Column;
    use stagewise_core::table::Table as Rows;

    fn rows() -> Rows {
        Rows::of([
            ("x", Column::numbers([1.0, f64::NAN, 3.0])),
            ("c", Column::categories([Some("a"), None, Some("b")])),
            ("f", Column::flags([Some(true), None, Some(false)])),
            ("t", Column::timestamps([1, 2, 3])),
            ("w", Column::categories([Some("one word and some more"), None, Some("")])),
        ])
        .unwrap()
    }

    fn bytes(compression: Option<IpcCompression>, stream: bool) -> Vec<u8> {
        let (mut bytes, mut frame) = (Vec::new(), to_frame(&rows()).unwrap());
        if stream {
            IpcStreamWriter::new(&mut bytes).with_compression(compression).finish(&mut frame).unwrap();
        } else {
            IpcWriter::new(&mut bytes).with_compression(compression).finish(&mut frame).unwrap();
        }
        bytes
    }

    fn all() -> Vec<Vec<u8>> {
        let packed = [None, Some(IpcCompression::LZ4), Some(IpcCompression::ZSTD(Default::default()))];
        packed.iter().flat_map(|&c| [bytes(c, false), bytes(c, true)]).collect()
    }

    #[test]
    fn files_and_streams_are_read_packed_or_not() {
        for bytes in all() {
            let loaded = Ipc::from_bytes(&bytes).read().unwrap();
            assert_eq!(loaded.table.columns(), rows().columns());
            let error = Ipc::from_bytes(&bytes).memory(100).read().unwrap_err().to_string();
            assert!(error.contains("the limit is 100: see `Ipc::memory`"), "{error}");
        }
    }

    #[test]
    fn files_of_a_pattern_are_read() {
        let folder = std::env::temp_dir().join(format!("stagewise-ipc-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("k=1")).unwrap();
        std::fs::write(folder.join("k=1/a.arrow"), bytes(None, false)).unwrap();
        std::fs::write(folder.join("k=1/b.arrow"), bytes(None, true)).unwrap();
        let loaded = Ipc::new(folder.join("k=*/*.arrow")).read_all().unwrap();
        assert_eq!((loaded.table.rows(), loaded.table.width()), (6, 6));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_arrow_file_is_refused() {
        for bytes in
            [&b""[..], b"a,b\n1,2\n", b"ARROW1", b"ARROW1\0\0\xff\xff\xff\x7fARROW1", b"\xff\xff\xff\xff\0\0\0\x40"]
        {
            let error = Ipc::from_bytes(bytes).read().unwrap_err().to_string();
            assert!(error.starts_with("line 1: this is no readable Arrow file"), "{error}");
        }
        let file = bytes(None, false);
        for end in 0..file.len() {
            assert!(Ipc::from_bytes(&file[..end]).read().is_err(), "cut at {end}");
        }
        // A stream may end without its mark, between two messages.
        let stream = bytes(None, true);
        for end in 0..stream.len() {
            let _ = Ipc::from_bytes(&stream[..end]).read();
        }
    }

    /// An allocation that fails ends the process, so this test would not come to its end.
    #[test]
    fn a_changed_byte_never_ends_the_program() {
        for mut bytes in all() {
            for at in 0..bytes.len() {
                let kept = bytes[at];
                for change in [0x01, 0x80, 0xFF] {
                    bytes[at] = kept ^ change;
                    let _ = Ipc::from_bytes(&bytes).memory(1 << 20).read();
                }
                bytes[at] = kept;
            }
            assert!(Ipc::from_bytes(&bytes).read().is_ok());
        }
    }
}
