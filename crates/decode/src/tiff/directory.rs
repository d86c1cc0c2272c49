//! The directory of a TIFF file: its entries, before anything is allocated for them.

use std::collections::BTreeMap;

/// Real directories have fewer than 100 entries.
const MAX_ENTRIES: u64 = 1000;

/// The number of values of an entry, which the decoder keeps with 32 bytes each.
const MAX_VALUES: u64 = 1 << 18;

/// The tags that are read here.
pub mod tag {
    pub const IMAGE_WIDTH: u16 = 256;
    pub const IMAGE_LENGTH: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC_INTERPRETATION: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const PLANAR_CONFIGURATION: u16 = 284;
    pub const PREDICTOR: u16 = 317;
    pub const COLOR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const INK_SET: u16 = 332;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const JPEG_TABLES: u16 = 347;
    pub const YCBCR_SUBSAMPLING: u16 = 530;
    pub const ICC_PROFILE: u16 = 34675;
}

/// The first directory of a file.
pub struct Directory<'a> {
    reader: Reader<'a>,
    entries: BTreeMap<u16, Entry<'a>>,
}

/// An entry of a directory.
#[derive(Clone, Copy)]
struct Entry<'a> {
    /// The size of a value, in bytes.
    value_size: usize,
    values: &'a [u8],
    /// The position of the values in the file.
    position: u64,
}

/// Reads numbers of a file in its byte order.
#[derive(Clone, Copy)]
struct Reader<'a> {
    file: &'a [u8],
    is_big_endian: bool,
}

impl<'a> Reader<'a> {
    fn bytes(self, at: u64, size: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(at).ok()?;
        let end = usize::try_from(at.checked_add(size)?).ok()?;
        self.file.get(start..end)
    }

    fn number(self, at: u64, size: u64) -> Option<u64> {
        Some(self.parse(self.bytes(at, size)?))
    }

    fn parse(self, bytes: &[u8]) -> u64 {
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self.is_big_endian {
            true => bytes.iter().fold(0, append),
            false => bytes.iter().rev().fold(0, append),
        }
    }
}

impl<'a> Directory<'a> {
    /// Reads the first directory of a file. Returns `None` if it is damaged: if an entry occurs twice,
    /// or has values outside of the file.
    pub fn read(file: &'a [u8]) -> Option<Self> {
        const BIG: u64 = 43;
        let reader = Reader {
            file,
            is_big_endian: file.first() == Some(&b'M'),
        };
        // The sizes of numbers are larger in BigTIFF files.
        let (start, word, count_size) = match reader.number(2, 2)? {
            BIG => (8, 8, 8),
            _ => (4, 4, 2),
        };
        let directory = reader.number(start, word)?;
        let count = reader.number(directory, count_size)?;
        if count > MAX_ENTRIES {
            return None;
        }
        let mut entries = BTreeMap::new();
        for index in 0..count {
            let entry_size = 4 + 2 * word;
            let at = directory + count_size + index * entry_size;
            let tag = u16::try_from(reader.number(at, 2)?).ok()?;
            let value_size = match reader.number(at + 2, 2)? {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 | 16 | 17 | 18 => 8,
                // Decoders ignore unknown types.
                _ => continue,
            };
            let count = reader.number(at + 4, word)?;
            let size = count.checked_mul(value_size)?;
            let position = match size <= word {
                true => at + 4 + word,
                false => reader.number(at + 4 + word, word)?,
            };
            let entry = Entry {
                value_size: value_size as usize,
                values: reader.bytes(position, size)?,
                position,
            };
            // The decoder does not read profiles and the like.
            let is_large = count > MAX_VALUES && tag < tag::ICC_PROFILE;
            if is_large || entries.insert(tag, entry).is_some() {
                return None;
            }
        }
        Some(Self { reader, entries })
    }

    /// Returns the bytes of an entry.
    pub fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        self.entries.get(&tag).map(|entry| entry.values)
    }

    /// Returns the unsigned numbers of an entry.
    pub fn numbers(&self, tag: u16) -> Option<impl ExactSizeIterator<Item = u64> + Clone> {
        let entry = self.entries.get(&tag)?;
        let values = entry.values.chunks_exact(entry.value_size);
        let reader = self.reader;
        Some(values.map(move |value| reader.parse(value)))
    }

    /// Returns the first unsigned number of an entry.
    pub fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag)?.next()
    }

    /// Returns the position of the lowest byte of an entry's first number in the file.
    pub fn lowest_byte(&self, tag: u16) -> Option<u64> {
        let entry = self.entries.get(&tag)?;
        let last = match self.reader.is_big_endian {
            true => entry.value_size as u64 - 1,
            false => 0,
        };
        Some(entry.position + last)
    }
}
