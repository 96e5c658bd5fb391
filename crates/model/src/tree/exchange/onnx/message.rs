//! The few kinds of protobuf fields that an ONNX file needs.

/// The bytes of a message, field by field.
#[derive(Debug, Clone, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A whole number.
    pub(super) fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        // Negative numbers take ten bytes: their bits as they are.
        self.varint(value as u64);
        self
    }

    /// Whole numbers, packed.
    pub(super) fn ints(self, field: u64, values: &[i64]) -> Self {
        let mut packed = Self::new();
        values.iter().for_each(|&value| packed.varint(value as u64));
        self.bytes(field, &packed.0)
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    pub(super) fn messages<'a>(self, field: u64, values: impl IntoIterator<Item = &'a Self>) -> Self {
        values.into_iter().fold(self, |message, value| message.message(field, value))
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Seven bits at a time, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_bytes_of_the_encoding_guide() {
        assert_eq!(Message::new().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::new().text(2, "testing").into_bytes(), b"\x12\x07testing");
        assert_eq!(Message::new().message(3, &Message::new().int(1, 150)).into_bytes(), [0x1a, 3, 0x08, 0x96, 0x01]);
        assert_eq!(Message::new().ints(6, &[3, 270, 86942]).into_bytes(), [0x32, 6, 3, 0x8e, 2, 0x9e, 0xa7, 5]);
        assert_eq!(Message::new().int(1, -1).into_bytes().len(), 11);
    }
}
