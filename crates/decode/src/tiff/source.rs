//! What the decoder reads: the file, with changes for kinds that it does not know.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// A file that is changed while it is read.
pub struct Source<'a> {
    file: Cursor<&'a [u8]>,
    replaced: Option<(u64, u8)>,
    bit_order: BitOrder,
}

/// The order of bits in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BitOrder {
    /// The first pixel is in the highest bit.
    HighestFirst,
    /// The first pixel is in the lowest bit.
    LowestFirst,
}

impl<'a> Source<'a> {
    /// Creates a source for a file. `replaced`: the position of a byte, and its new value.
    pub fn new(file: &'a [u8], replaced: Option<(u64, u8)>) -> Self {
        Self {
            file: Cursor::new(file),
            replaced,
            bit_order: BitOrder::HighestFirst,
        }
    }

    /// Sets the order of bits of what is read from now on.
    pub fn set_bit_order(&mut self, order: BitOrder) {
        self.bit_order = order;
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.file.position();
        let count = self.file.read(buffer)?;
        let read = &mut buffer[..count];
        if let Some((position, value)) = self.replaced {
            let at = position.checked_sub(start);
            let at = at.and_then(|at| usize::try_from(at).ok());
            if let Some(byte) = at.and_then(|at| read.get_mut(at)) {
                *byte = value;
            }
        }
        if self.bit_order == BitOrder::LowestFirst {
            read.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        Ok(count)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}
