//! The chunks of PNG files.

use std::borrow::Cow;

const SIGNATURE_BYTES: usize = 8;

/// The length and the name of a chunk.
const HEADER_BYTES: usize = 8;

const CHECKSUM_BYTES: usize = 4;

/// The last chunk of a file, which has no data.
const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// A chunk of a PNG file.
pub struct Chunk<'a> {
    /// The chunk's type.
    pub name: &'a [u8],
    /// The chunk's data.
    pub data: &'a [u8],
    bytes: &'a [u8],
}

impl Chunk<'_> {
    /// Returns whether the checksum is right. Decoders ignore other chunks.
    pub fn has_checksum(&self) -> bool {
        let end = self.bytes.len() - CHECKSUM_BYTES;
        let mut checksum = flate2::Crc::new();
        checksum.update(&self.bytes[HEADER_BYTES - self.name.len()..end]);
        self.bytes[end..] == checksum.sum().to_be_bytes()
    }
}

/// Returns the chunks of a file, as far as they are complete.
fn chunks(file: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = file.get(SIGNATURE_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = rest.get(..4)?.try_into().ok()?;
        let end = HEADER_BYTES.checked_add(u32::from_be_bytes(length) as usize)?;
        let (bytes, after) = rest.split_at_checked(end.checked_add(CHECKSUM_BYTES)?)?;
        rest = after;
        Some(Chunk {
            name: &bytes[4..HEADER_BYTES],
            data: &bytes[HEADER_BYTES..end],
            bytes,
        })
    })
}

/// Returns the complete chunks before the image's data.
pub fn chunks_before_data(file: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    chunks(file).take_while(|chunk| chunk.name != b"IDAT")
}

/// Returns a file that the decoder reads as browsers do: without its ICC profile, which the decoder
/// would inflate (a small one may become more than a gigabyte), and with the last chunk, without which
/// the decoder fails after the last row.
pub fn repaired(file: &[u8]) -> Cow<'_, [u8]> {
    let is_profile = |chunk: &Chunk| chunk.name == b"iCCP";
    let has_profile = chunks_before_data(file).any(|chunk| is_profile(&chunk));
    let lacks_end = lacks_end(file);
    if !has_profile && !lacks_end {
        return file.into();
    }
    let mut repaired = Vec::with_capacity(file.len() + END.len());
    let mut copied = SIGNATURE_BYTES;
    repaired.extend_from_slice(&file[..copied]);
    for chunk in chunks_before_data(file) {
        copied += chunk.bytes.len();
        if !is_profile(&chunk) {
            repaired.extend_from_slice(chunk.bytes);
        }
    }
    repaired.extend_from_slice(&file[copied..]);
    if lacks_end {
        repaired.extend_from_slice(END);
    }
    repaired.into()
}

/// Returns whether a file ends behind a chunk of the image's data.
fn lacks_end(file: &[u8]) -> bool {
    let mut end = SIGNATURE_BYTES;
    let mut is_data = false;
    for chunk in chunks(file) {
        end += chunk.bytes.len();
        is_data = chunk.name == b"IDAT";
    }
    is_data && end == file.len()
}
