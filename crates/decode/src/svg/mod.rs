//! Decodes SVG files.
//!
//! Nothing outside of the file is read, and there are no fonts. Everything that would need more time
//! or memory than a large photo is refused before it is drawn.

mod cost;
mod estimate;
mod expansion;
mod filter_cost;
mod geometry;
mod images;
mod markup;
mod path_cost;
mod refusal;
mod size;
mod styles;
mod tree;

use image::{DynamicImage, RgbaImage};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::Tree;

use crate::error::DecodeError;
use crate::opened::OpenedImage;
use cost::estimate_cost;
use images::EmbeddedImages;
use refusal::Refusal;
use tree::{read_document, read_tree};

/// The longer edge of the image, in pixels: the largest texture of a model.
const LONGER_EDGE: u32 = 2048;

/// The memory of a tree of shapes, compared to the size of its document.
const TREE_FACTOR: u64 = 10;

/// An SVG file that has been read.
pub struct SvgFile {
    tree: Tree,
    width: u32,
    height: u32,
    memory: u64,
}

impl SvgFile {
    /// Reads a file.
    ///
    /// # Errors
    /// Fails if the file is damaged, if it shows text, or if drawing it needs too much time.
    pub fn open(file: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::read(file)?)
    }

    fn read(file: &[u8]) -> Result<Self, Refusal> {
        let document = read_document(file)?;
        let images = EmbeddedImages::default();
        let tree = read_tree(&document, images.resolver())?;
        if let Some(refusal) = images.refusal() {
            return Err(refusal);
        }
        let [width, height] = document.size;
        let scale = f64::from(LONGER_EDGE) / width.max(height);
        let edge = |length: f64| ((length * scale).round() as u32).clamp(1, LONGER_EDGE);
        let (width, height) = (edge(width), edge(height));
        let transform = fit(&tree, width, height);
        let cost = estimate_cost(&tree, transform, (width, height))?;
        let image = u64::from(width) * u64::from(height) * 4;
        let tree_bytes = (document.bytes + images.nested_bytes()) * TREE_FACTOR;
        let memory = tree_bytes + 2 * image + cost + images.largest_decode();
        Ok(Self {
            tree,
            width,
            height,
            memory,
        })
    }
}

impl OpenedImage for SvgFile {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn decode(self: Box<Self>) -> Result<DynamicImage, DecodeError> {
        let mut pixmap = Pixmap::new(self.width, self.height).ok_or(Refusal::NoSize)?;
        let transform = fit(&self.tree, self.width, self.height);
        resvg::render(&self.tree, transform, &mut pixmap.as_mut());
        drop(self.tree);
        let pixels = pixmap.take_demultiplied();
        let image = RgbaImage::from_raw(self.width, self.height, pixels);
        Ok(DynamicImage::ImageRgba8(image.ok_or(Refusal::NoSize)?))
    }
}

/// Returns the transform from a tree to an image.
fn fit(tree: &Tree, width: u32, height: u32) -> Transform {
    let size = tree.size();
    Transform::from_scale(width as f32 / size.width(), height as f32 / size.height())
}
