//! The images in an SVG document.
//!
//! Only `data:` URLs are read. The default of `usvg` reads local files.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use contract::ImageFormat;
use resvg::usvg::{ImageHrefResolver, ImageKind, Tree};

use super::refusal::Refusal;
use super::tree::{read_document, read_tree};
use crate::color::Colors;
use crate::layout::find_fault;
use crate::opened::OpenedImage;
use crate::raster::RasterFile;

/// SVG documents in `data:` URLs are nested at most this deep.
const MAX_DEPTH: usize = 3;

/// The largest embedded image.
const MAX_PIXELS: u64 = 32_000_000;

/// The most memory that decoding an embedded image may need, in bytes.
const MAX_DECODE_BYTES: u64 = 256 << 20;

/// The largest sum of all nested documents with their copies, in bytes.
const MAX_NESTED_BYTES: u64 = 32 << 20;

/// The images of a document, with their sizes and the reason to refuse them.
#[derive(Default)]
pub struct EmbeddedImages {
    depth: AtomicUsize,
    nested_bytes: AtomicU64,
    largest_decode: AtomicU64,
    refusal: OnceLock<Refusal>,
}

impl EmbeddedImages {
    /// Returns a resolver that calls this for each image.
    pub fn resolver(&self) -> ImageHrefResolver<'_> {
        ImageHrefResolver {
            resolve_data: Box::new(|_, data, _| self.resolve(data)),
            resolve_string: Box::new(|_, _| None),
        }
    }

    /// Returns why an embedded document must not be drawn.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal.get().copied()
    }

    /// Returns the memory that decoding an embedded image needs at most, in bytes.
    pub fn largest_decode(&self) -> u64 {
        self.largest_decode.load(Ordering::Relaxed)
    }

    /// Returns the size of all nested documents with their copies, in bytes.
    pub fn nested_bytes(&self) -> u64 {
        self.nested_bytes.load(Ordering::Relaxed)
    }

    /// Returns the image of the data, or `None` for an image that cannot be drawn. The declared type
    /// is not used: browsers do not use it either.
    fn resolve(&self, data: Arc<Vec<u8>>) -> Option<ImageKind> {
        let format = ImageFormat::detect(&data)?;
        match format {
            ImageFormat::Svg => return self.resolve_document(&data),
            ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::Webp => {}
            _ => return None,
        }
        if find_fault(format, &data).is_some() {
            return None;
        }
        let (width, height, memory) = {
            let image =
                RasterFile::open(format, &data, Colors::default(), MAX_DECODE_BYTES).ok()?;
            let (width, height) = image.size();
            (width, height, image.memory())
        };
        if u64::from(width) * u64::from(height) > MAX_PIXELS || memory > MAX_DECODE_BYTES {
            self.refuse(Refusal::TooComplex);
            return None;
        }
        self.largest_decode.fetch_max(memory, Ordering::Relaxed);
        Some(match format {
            ImageFormat::Png => ImageKind::PNG(data),
            ImageFormat::Jpeg => ImageKind::JPEG(data),
            ImageFormat::Gif => ImageKind::GIF(data),
            _ => ImageKind::WEBP(data),
        })
    }

    fn resolve_document(&self, data: &[u8]) -> Option<ImageKind> {
        if self.depth.load(Ordering::Relaxed) == MAX_DEPTH {
            self.refuse(Refusal::TooComplex);
            return None;
        }
        self.depth.fetch_add(1, Ordering::Relaxed);
        let tree = self.read_nested(data);
        self.depth.fetch_sub(1, Ordering::Relaxed);
        tree.map_err(|refusal| match refusal {
            // Browsers do not show damaged images.
            Refusal::Encoding | Refusal::Malformed | Refusal::NoSize => {}
            refusal => self.refuse(refusal),
        })
        .ok()
        .map(ImageKind::SVG)
    }

    fn read_nested(&self, data: &[u8]) -> Result<Tree, Refusal> {
        let document = read_document(data)?;
        let bytes = self
            .nested_bytes
            .fetch_add(document.bytes, Ordering::Relaxed);
        if bytes.saturating_add(document.bytes) > MAX_NESTED_BYTES {
            return Err(Refusal::TooComplex);
        }
        read_tree(&document, self.resolver())
    }

    fn refuse(&self, refusal: Refusal) {
        // The first reason is kept.
        let _ = self.refusal.set(refusal);
    }
}
