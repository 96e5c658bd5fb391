//! Flatbuffers, as far as the headers of Arrow need them: tables, vectors and scalars, every step checked.

/// The bytes of one flatbuffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flat<'a>(pub(super) &'a [u8]);

/// A table in it: where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A vector in it: where its elements begin, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vector<'a> {
    bytes: &'a [u8],
    at: usize,
    pub(super) len: usize,
}

type Checked<T> = Result<T, String>;

impl<'a> Flat<'a> {
    /// The table that the buffer holds.
    pub(super) fn root(self) -> Checked<Table<'a>> {
        Table { bytes: self.0, at: 0 }.behind(0)
    }
}

impl<'a> Table<'a> {
    /// The whole number of `size` bytes in a field; zero if it is not there.
    pub(super) fn int(self, field: usize, size: usize) -> Checked<i64> {
        self.field(field)?.map_or(Ok(0), |at| int(self.bytes, at, size))
    }

    /// The table in a field.
    pub(super) fn table(self, field: usize) -> Checked<Option<Self>> {
        self.field(field)?.map(|at| self.behind(at)).transpose()
    }

    /// The vector in a field, whose elements take `size` bytes; empty if it is not there.
    pub(super) fn vector(self, field: usize, size: usize) -> Checked<Vector<'a>> {
        let Some(at) = self.field(field)? else { return Ok(Vector { bytes: self.bytes, at: 0, len: 0 }) };
        let at = self.behind(at)?.at;
        let len = usize::try_from(int(self.bytes, at, 4)?).map_err(|_| "a vector of negative length".to_string())?;
        let fits = len
            .checked_mul(size)
            .and_then(|bytes| bytes.checked_add(at + 4))
            .is_some_and(|end| end <= self.bytes.len());
        if fits {
            Ok(Vector { bytes: self.bytes, at: at + 4, len })
        } else {
            Err(format!("a vector of {len} elements does not fit"))
        }
    }

    /// Where a field is, if it is there.
    fn field(self, field: usize) -> Checked<Option<usize>> {
        let back = int(self.bytes, self.at, 4)?;
        let rows = i64::try_from(self.at).ok().and_then(|at| usize::try_from(at - back).ok());
        let rows = rows.ok_or("a table without a list of its fields")?;
        let length = unsigned(self.bytes, rows, 2)?;
        let place = 4 + 2 * field;
        if place + 2 > length {
            return Ok(None);
        }
        match unsigned(self.bytes, rows + place, 2)? {
            0 => Ok(None),
            step => Ok(Some(self.at + step)),
        }
    }

    /// The table that the offset at `at` leads to.
    fn behind(self, at: usize) -> Checked<Self> {
        let step = unsigned(self.bytes, at, 4)?;
        Ok(Self { bytes: self.bytes, at: at + step })
    }
}

impl<'a> Vector<'a> {
    /// The whole number of `size` bytes that begins `offset` bytes into element `i`, elements of `stride` bytes.
    pub(super) fn int(self, i: usize, stride: usize, offset: usize, size: usize) -> Checked<i64> {
        int(self.bytes, self.at + i * stride + offset, size)
    }

    /// The table that element `i` leads to.
    pub(super) fn table(self, i: usize) -> Checked<Table<'a>> {
        Table { bytes: self.bytes, at: 0 }.behind(self.at + 4 * i)
    }
}

/// A whole number in little endian, of one, two, four or eight bytes.
pub(super) fn int(bytes: &[u8], at: usize, size: usize) -> Checked<i64> {
    let raw = at.checked_add(size).and_then(|end| bytes.get(at..end)).ok_or("it ends too early")?;
    let value = raw.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    let unused = 64 - 8 * u32::try_from(size.min(8)).unwrap_or(8);
    Ok((value << unused).cast_signed() >> unused)
}

fn unsigned(bytes: &[u8], at: usize, size: usize) -> Checked<usize> {
    let value = int(bytes, at, size)?;
    let mask = (1_i64 << (8 * size.min(7))) - 1;
    usize::try_from(value & mask).map_err(|_| "an offset is too large".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_signed_and_checked() {
        assert_eq!(int(&[0xFE, 0xFF], 0, 2), Ok(-2));
        assert_eq!(int(&[0, 1, 0, 0, 0], 1, 4), Ok(1));
        assert_eq!(int(&[0xFF; 8], 0, 8), Ok(-1));
        assert_eq!(unsigned(&[0xFE, 0xFF], 0, 2), Ok(0xFFFE));
        assert!(int(&[1, 2, 3], 0, 4).is_err() && int(&[1], usize::MAX, 1).is_err());
    }

    #[test]
    fn tables_are_walked() {
        // Root at 12; its fields at 4: length 8, table 12, field 0 not there, field 1 at +8 leads on by 4 to a vector.
        let bytes = [12, 0, 0, 0, 8, 0, 12, 0, 0, 0, 8, 0, 8, 0, 0, 0, 9, 9, 9, 9, 4, 0, 0, 0, 2, 0, 0, 0, 7, 0, 8, 0];
        let root = Flat(&bytes).root().unwrap();
        assert_eq!(root.int(0, 4), Ok(0));
        let vector = root.vector(1, 2).unwrap();
        assert_eq!((vector.len, vector.int(1, 2, 0, 2)), (2, Ok(8)));
        assert!(root.vector(1, 3).is_err());
        assert_eq!(root.int(9, 4), Ok(0));
        assert!(Flat(&bytes[..20]).root().unwrap().vector(1, 2).is_err());
    }
}
