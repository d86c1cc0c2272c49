//! Damages image files at random.

use fastrand::Rng;

/// The most changes of one file.
const MAX_CHANGES: usize = 4;
/// Where most formats have their dimensions.
const HEADER_BYTES: usize = 64;
/// Dimensions at which decoders overflow, allocate much or divide by zero.
const DIMENSIONS: [u32; 14] = [
    0,
    1,
    7,
    255,
    256,
    4096,
    8000,
    16_383,
    16_384,
    32_768,
    65_535,
    65_536,
    0x7fff_ffff,
    0xffff_ffff,
];
const BYTES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Returns a damaged copy of one of the files.
pub fn mutate(samples: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut file = samples[random.usize(0..samples.len())].clone();
    for _ in 0..random.usize(1..=MAX_CHANGES) {
        if file.is_empty() {
            break;
        }
        change(&mut file, samples, random);
    }
    // Otherwise a decoder rejects nearly every damaged PNG before it reads the contents.
    if file.starts_with(PNG_SIGNATURE) && random.u32(0..4) > 0 {
        correct_checksums(&mut file);
    }
    file
}

fn change(file: &mut Vec<u8>, samples: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(0..file.len());
    match random.u32(0..16) {
        0..4 => file[at] ^= 1 << random.u32(0..8),
        4..7 => file[at] = BYTES[random.usize(0..BYTES.len())],
        7..11 => change_dimension(file, random),
        11 => file.truncate(at),
        12 => {
            let end = file.len().min(at + random.usize(1..32));
            file.drain(at..end);
        }
        13 => {
            let end = file.len().min(at + random.usize(1..64));
            let part = file[at..end].to_vec();
            let to = random.usize(0..=file.len());
            file.splice(to..to, part);
        }
        14 => {
            let mut noise = [0; 8];
            random.fill(&mut noise);
            file.splice(at..at, noise);
        }
        _ => {
            let other = &samples[random.usize(0..samples.len())];
            file.truncate(at);
            file.extend(&other[random.usize(0..other.len())..]);
        }
    }
}

/// Overwrites a number in the header, in either byte order.
fn change_dimension(file: &mut [u8], random: &mut Rng) {
    let dimension = DIMENSIONS[random.usize(0..DIMENSIONS.len())];
    let short = dimension as u16;
    let bytes = match random.u32(0..4) {
        0 => short.to_be_bytes().to_vec(),
        1 => short.to_le_bytes().to_vec(),
        2 => dimension.to_be_bytes().to_vec(),
        _ => dimension.to_le_bytes().to_vec(),
    };
    let end = file.len().min(HEADER_BYTES);
    let at = random.usize(0..end);
    let length = bytes.len().min(file.len() - at);
    file[at..at + length].copy_from_slice(&bytes[..length]);
}

/// Corrects the checksums of a PNG's chunks.
fn correct_checksums(file: &mut [u8]) {
    let mut start = PNG_SIGNATURE.len();
    while let Some(length) = file.get(start..start + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let (checked, end) = (start + 4, start + 8 + length);
        let Some(bytes) = file.get(checked..end) else {
            return;
        };
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        if let Some(checksum) = file.get_mut(end..end + 4) {
            checksum.copy_from_slice(&crc.sum().to_be_bytes());
        }
        start = end + 4;
    }
}
