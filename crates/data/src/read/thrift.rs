//! Thrift's compact protocol, as far as the headers of Parquet need it: values are visited, nothing is built.
//!
//! A header is walked along its [`Shape`]: every field that the shape knows must have the type it says, fields come in
//! ascending order, and no list is longer than the bytes that are left. So a decoder that reads known fields without a
//! look at their types meets the same bytes in the same places, and cannot be asked for a list that is not there.

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A whole number of 16, 32 or 64 bits.
    Int,
    /// A whole number of 8 bits.
    Byte,
    Flag,
    Binary,
    List(&'static Self),
    /// Fields by number; fields that are not named may hold anything.
    Struct(&'static [(i16, Self)]),
}

/// What is met on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Int(i64),
    /// A text or bytes: how long.
    Binary(usize),
    Start,
    End,
}

/// Gets the numbers of the fields on the way and what stands there.
type On<'a> = dyn FnMut(&[i16], Event) -> Result<(), String> + 'a;

/// The type numbers of the compact protocol.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const INTS: std::ops::RangeInclusive<u8> = 4..=6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// How deep what is not known may be nested.
const DEEPEST: usize = 32;

/// Walks the structure that begins at `at`, and says where it ends.
///
/// `on` gets the numbers of the fields on the way and what stands there; elements of a list come under the number of
/// the list. `O(bytes)`.
///
/// # Errors
/// What does not keep to the shape, as text; and what `on` refuses.
pub(super) fn walk(bytes: &[u8], at: usize, fields: &'static [(i16, Shape)], on: &mut On<'_>) -> Result<usize, String> {
    let mut walker = Walker { bytes, at, path: Vec::new(), on };
    walker.fields(fields)?;
    Ok(walker.at)
}

struct Walker<'a, 'f> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<i16>,
    on: &'a mut On<'f>,
}

impl Walker<'_, '_> {
    fn fields(&mut self, known: &'static [(i16, Shape)]) -> Result<(), String> {
        let mut last = 0;
        loop {
            let Some((id, kind)) = self.field(last)? else { return Ok(()) };
            last = id;
            match known.iter().find(|(known, _)| *known == id) {
                Some((_, shape)) => {
                    self.path.push(id);
                    self.value(*shape, kind, false)?;
                    self.path.pop();
                }
                None => self.skip(kind, DEEPEST, false)?,
            }
        }
    }

    /// Number and type of the next field, unless the structure ends.
    fn field(&mut self, last: i16) -> Result<Option<(i16, u8)>, String> {
        let head = self.byte()?;
        let (step, kind) = (i16::from(head >> 4), head & 0x0F);
        if kind == STOP {
            return Ok(None);
        }
        let id = if step == 0 { i16::try_from(self.int()?).ok() } else { last.checked_add(step) };
        match id {
            Some(id) if id > last => Ok(Some((id, kind))),
            _ => Err(self.wrong("fields are not in order")),
        }
    }

    /// A value of a known shape; `listed` as an element of a list.
    fn value(&mut self, shape: Shape, kind: u8, listed: bool) -> Result<(), String> {
        let event = match shape {
            Shape::Int if INTS.contains(&kind) => Event::Int(self.int()?),
            Shape::Byte if kind == BYTE => Event::Int(i64::from(self.byte()?)),
            Shape::Flag if kind == TRUE || kind == FALSE => {
                let set = if listed { self.byte()? == TRUE } else { kind == TRUE };
                Event::Int(i64::from(set))
            }
            Shape::Binary if kind == BINARY => Event::Binary(self.skipped()?),
            Shape::List(element) if kind == LIST => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    self.value(*element, kind, true)?;
                }
                return Ok(());
            }
            Shape::Struct(fields) if kind == STRUCT => {
                (self.on)(&self.path, Event::Start)?;
                self.fields(fields)?;
                Event::End
            }
            _ => return Err(self.wrong("a field has the wrong type")),
        };
        (self.on)(&self.path, event)
    }

    fn skip(&mut self, kind: u8, depth: usize, listed: bool) -> Result<(), String> {
        if depth == 0 {
            return Err(self.wrong("fields are nested too deep"));
        }
        match kind {
            TRUE | FALSE if !listed => {}
            TRUE | FALSE | BYTE => _ = self.byte()?,
            kind if INTS.contains(&kind) => _ = self.int()?,
            DOUBLE => self.forward(8)?,
            BINARY => _ = self.skipped()?,
            LIST => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    self.skip(kind, depth - 1, true)?;
                }
            }
            STRUCT => {
                let mut last = 0;
                while let Some((id, kind)) = self.field(last)? {
                    self.skip(kind, depth - 1, false)?;
                    last = id;
                }
            }
            _ => return Err(self.wrong("a field has a type that Parquet does not use")),
        }
        Ok(())
    }

    /// Length and element type of a list; every element takes a byte at least.
    fn list(&mut self) -> Result<(usize, u8), String> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        match usize::try_from(count) {
            Ok(count) if count <= self.left() => Ok((count, head & 0x0F)),
            _ => Err(self.wrong(&format!("a list of {count} elements does not fit into what is left"))),
        }
    }

    fn skipped(&mut self) -> Result<usize, String> {
        let length = self.varint()?;
        let length = usize::try_from(length).map_err(|_| self.wrong("a text is too long"))?;
        self.forward(length)?;
        Ok(length)
    }

    /// A whole number, zigzag coded.
    fn int(&mut self) -> Result<i64, String> {
        let coded = self.varint()?;
        Ok((coded >> 1).cast_signed() ^ -((coded & 1).cast_signed()))
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            // The tenth byte has room for one bit.
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.wrong("a number does not end"))
    }

    fn byte(&mut self) -> Result<u8, String> {
        let byte = self.bytes.get(self.at).copied().ok_or_else(|| self.wrong("it ends too early"))?;
        self.at += 1;
        Ok(byte)
    }

    fn forward(&mut self, bytes: usize) -> Result<(), String> {
        if bytes > self.left() {
            return Err(self.wrong("it ends too early"));
        }
        self.at += bytes;
        Ok(())
    }

    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    fn wrong(&self, what: &str) -> String {
        format!("{what}, byte {} of the header", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SHAPE: [(i16, Shape); 2] = [(1, Shape::Int), (3, Shape::List(&Shape::Int))];

    fn walked(bytes: &[u8]) -> Result<Vec<(Vec<i16>, Event)>, String> {
        let mut seen = Vec::new();
        walk(bytes, 0, &SHAPE, &mut |path, event| {
            seen.push((path.to_vec(), event));
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn known_fields_are_visited_and_others_skipped() {
        // 1: i32 = -3, 2: binary "ab", 3: list of two i32, 4: structure with a flag.
        let bytes = [0x15, 5, 0x18, 2, b'a', b'b', 0x19, 0x25, 2, 4, 0x1C, 0x11, 0, 0];
        let ints = [(vec![1], Event::Int(-3)), (vec![3], Event::Int(1)), (vec![3], Event::Int(2))];
        assert_eq!(walked(&bytes).unwrap(), ints);
    }

    #[test]
    fn wrong_types_orders_and_lengths_are_refused() {
        let refused = |bytes: &[u8]| walked(bytes).unwrap_err();
        assert_eq!(refused(&[0x18, 0, 0]), "a field has the wrong type, byte 1 of the header");
        assert_eq!(refused(&[0x15, 2, 0x05, 2, 2, 0]), "fields are not in order, byte 4 of the header");
        let long = "a list of 4294967295 elements does not fit into what is left, byte 7 of the header";
        assert_eq!(refused(&[0x39, 0xF5, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]), long);
        assert_eq!(refused(&[0x15, 0x80]), "it ends too early, byte 2 of the header");
        let deep = [0x2C; 40];
        assert_eq!(refused(&deep), "fields are nested too deep, byte 33 of the header");
    }
}
