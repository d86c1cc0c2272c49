//! Reads SVG documents.

use resvg::usvg::roxmltree::{Document, Error, ParsingOptions};
use resvg::usvg::{ImageHrefResolver, Options, Size, Tree};

use super::expansion::measure_expansion;
use super::markup::read_markup;
use super::refusal::Refusal;
use super::size::read_size;

/// The largest number of elements and texts of a document.
const MAX_NODES: u32 = 400_000;

/// The text of a document that can be read within the limits.
pub struct SvgText {
    /// The text, in which the size of the root element is in pixels.
    text: String,
    /// The width and height, in CSS pixels.
    pub size: [f64; 2],
    /// The size with copies of everything that is referred to, in bytes.
    pub bytes: u64,
}

/// Reads a file and checks that its document is within the limits.
///
/// # Errors
/// Fails if the file is not an SVG document, or beyond the limits.
pub fn read_document(file: &[u8]) -> Result<SvgText, Refusal> {
    let markup = read_markup(file)?;
    let document = parse(&markup)?;
    let root = document.root_element();
    let size = read_size(root)?;
    let bytes = measure_expansion(&document)?;
    let mut edits = Vec::new();
    for attribute in root.attributes() {
        if matches!(attribute.name(), "width" | "height") && attribute.namespace().is_none() {
            edits.push(attribute.range());
        }
    }
    let name = root.range().start + 1;
    let name_length =
        markup[name..].find(|end: char| end.is_whitespace() || matches!(end, '>' | '/'));
    let insertion = name + name_length.ok_or(Refusal::Malformed)?;
    // `usvg` uses the bounding box instead of the size that browsers use.
    let [width, height] = size;
    let mut text = markup.clone().into_owned();
    for range in edits.into_iter().rev() {
        text.replace_range(range, "");
    }
    text.insert_str(insertion, &format!(r#" width="{width}" height="{height}""#));
    Ok(SvgText { text, size, bytes })
}

fn parse(text: &str) -> Result<Document<'_>, Refusal> {
    let options = ParsingOptions {
        // The document type has been replaced.
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| match error {
        Error::NodesLimitReached => Refusal::TooComplex,
        _ => Refusal::Malformed,
    })
}

/// Converts a document to shapes. `images` reads the images in it.
///
/// # Errors
/// Fails if the document is damaged, or beyond the limits.
pub fn read_tree(document: &SvgText, images: ImageHrefResolver) -> Result<Tree, Refusal> {
    let parsed = parse(&document.text)?;
    let [width, height] = document.size;
    let size = Size::from_wh(width as f32, height as f32).ok_or(Refusal::NoSize)?;
    let options = Options {
        resources_dir: None,
        default_size: size,
        image_href_resolver: images,
        ..Options::default()
    };
    Tree::from_xmltree(&parsed, &options).map_err(|_| Refusal::Malformed)
}
