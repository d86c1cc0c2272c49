//! Layouts of image files that make the decoders panic. They are found before decoding, because
//! WebAssembly cannot catch a panic.

use contract::ImageFormat;

/// Returns the reason why a file must not be decoded, or `None` if no known reason applies.
pub fn find_fault(format: ImageFormat, file: &[u8]) -> Option<&'static str> {
    match format {
        // https://github.com/image-rs/image-webp/issues/182
        ImageFormat::Webp => {
            has_wrong_frame_size(file.get(12..)?).then_some("a frame has a wrong size")
        }
        _ => None,
    }
}

/// Returns whether a lossy image in the chunks of a WebP file has another size than its frame, or
/// none.
fn has_wrong_frame_size(chunks: &[u8]) -> bool {
    riff_chunks(chunks).any(|(name, data)| match name {
        b"VP8 " => matches!(vp8_size(data), Some([0, _] | [_, 0])),
        b"ANMF" => data.get(16..).is_some_and(|frame| {
            let edge = |at: usize| {
                let bytes = [data[at], data[at + 1], data[at + 2], 0];
                u32::from_le_bytes(bytes) + 1
            };
            let size = [edge(6), edge(9)];
            let images = riff_chunks(frame).filter(|(name, _)| *name == b"VP8 ");
            let mut sizes = images.filter_map(|(_, image)| vp8_size(image));
            sizes.any(|image| image != size || image.contains(&0))
        }),
        _ => false,
    })
}

/// Returns the width and the height in the header of a lossy image.
fn vp8_size(image: &[u8]) -> Option<[u32; 2]> {
    // The two highest bits are a scale.
    let edge = |at: usize| {
        let bytes = image.get(at..at + 2)?;
        Some(u32::from(u16::from_le_bytes([bytes[0], bytes[1]]) & 0x3fff))
    };
    Some([edge(6)?, edge(8)?])
}

/// Returns the ICC profile of a WebP file.
pub fn webp_icc_profile(file: &[u8]) -> Option<&[u8]> {
    const HAS_PROFILE: u8 = 0x20;
    let mut chunks = riff_chunks(file.get(12..)?);
    let (_, flags) = chunks.next().filter(|(name, _)| *name == b"VP8X")?;
    let has_profile = flags.first()? & HAS_PROFILE != 0;
    let (_, profile) = chunks.find(|(name, _)| *name == b"ICCP")?;
    has_profile.then_some(profile)
}

/// Returns the names and the data of RIFF chunks, as far as they are complete.
fn riff_chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (header, rest) = bytes.split_at_checked(8)?;
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let data = rest.get(..size.min(rest.len()))?;
        // Chunks start at even positions.
        bytes = rest.get(size.checked_add(size % 2)?..).unwrap_or_default();
        Some((&header[..4], data))
    })
}
