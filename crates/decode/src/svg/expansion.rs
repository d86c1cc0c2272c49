//! The size of an SVG document when every reference in it is replaced by a copy of what it refers
//! to, as the renderer does it.
//!
//! A few lines can refer to each other so that the copies fill any memory. `usvg` limits only copies
//! by `use` (to a million elements), and calls itself for nested elements.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};
use simplecss::DeclarationTokenizer;

use super::geometry::{Lengths, count_segments};
use super::refusal::Refusal;
use super::styles::Styles;

/// Elements are nested at most this deep, references included. Inkscape and Illustrator stay below
/// 30. A level needs up to 3 KiB of stack.
const MAX_DEPTH: u32 = 96;

/// The largest size of all copies, in bytes. The renderer needs up to ten times as much memory.
const MAX_BYTES: u64 = 32 << 20;

/// The memory of an element and of an attribute without its text, in bytes.
const ELEMENT_BYTES: u64 = 96;
const ATTRIBUTE_BYTES: u64 = 24;

/// The time of parsing a byte, in comparisons with parts of selectors.
const COMPARISONS_PER_BYTE: u64 = 4;

/// The memory of a segment of a path, in bytes.
const SEGMENT_BYTES: u64 = 4;

/// Contents of these elements are drawn only where a reference asks for it.
const UNDRAWN: [&str; 15] = [
    "defs",
    "symbol",
    "marker",
    "clipPath",
    "mask",
    "pattern",
    "linearGradient",
    "radialGradient",
    "filter",
    "style",
    "script",
    "title",
    "desc",
    "metadata",
    "foreignObject",
];

const SHAPES: [&str; 8] = [
    "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image",
];

/// An element with copies of everything that it refers to.
#[derive(Clone, Copy, Default)]
struct Expanded {
    bytes: u64,
    depth: u32,
    shapes: u64,
    /// The vertices of the shapes, at which markers are drawn.
    vertices: u64,
    shown: Shown,
}

/// What an element shows that cannot be drawn.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Shown {
    #[default]
    Nothing,
    Text,
    Html,
}

/// For which shapes a property with a reference counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// For the element.
    Element,
    /// For every shape in the element, because the property is inherited.
    Shapes,
    /// For every vertex of every shape in the element.
    Vertices,
}

/// The name and the value of an attribute or declaration, and for which shapes it counts.
type Property = (String, String, Scope);

/// Returns the size of a document with all copies, in bytes.
///
/// # Errors
/// Fails if the size is too large, if the elements are nested too deep or without an end, or if the
/// document shows text.
pub fn measure_expansion(document: &Document<'_>) -> Result<u64, Refusal> {
    let styles = Styles::read(document)?;
    let mut ids = HashMap::new();
    for node in document.descendants() {
        if let Some(id) = node.attribute("id") {
            ids.entry(id).or_insert(node);
        }
    }
    let mut expansion = Expansion {
        ids,
        styles,
        lengths: Lengths::default(),
        known: HashMap::new(),
    };
    let root = expansion.expand(document.root_element(), 0)?;
    expansion.lengths.check()?;
    match root.shown {
        Shown::Nothing => Ok(root.bytes),
        Shown::Text => Err(Refusal::Text),
        Shown::Html => Err(Refusal::Html),
    }
}

struct Expansion<'a, 'input> {
    ids: HashMap<&'a str, Node<'a, 'input>>,
    styles: Styles<'a>,
    lengths: Lengths,
    /// `None` while the element is being expanded.
    known: HashMap<NodeId, Option<Expanded>>,
}

impl<'a, 'input> Expansion<'a, 'input> {
    fn expand(&mut self, node: Node<'a, 'input>, depth: u32) -> Result<Expanded, Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::TooComplex);
        }
        match self.known.get(&node.id()) {
            Some(Some(expanded)) => return Ok(*expanded),
            Some(None) => return Err(Refusal::Recursive),
            None => {}
        }
        self.known.insert(node.id(), None);
        let expanded = self.expand_unknown(node, depth)?;
        if expanded.depth > MAX_DEPTH || expanded.bytes > MAX_BYTES {
            return Err(Refusal::TooComplex);
        }
        self.known.insert(node.id(), Some(expanded));
        Ok(expanded)
    }

    fn expand_unknown(&mut self, node: Node<'a, 'input>, depth: u32) -> Result<Expanded, Refusal> {
        let tag = node.tag_name().name();
        let mut sum = self.measure_alone(node)?;
        let mut candidates = Shown::Nothing;
        let mut has_choice = false;
        for child in node.children() {
            if !child.is_element() {
                sum.bytes += ELEMENT_BYTES / 4;
                continue;
            }
            let expanded = self.expand(child, depth + 1)?;
            sum.add(expanded);
            let requires_extensions = !child
                .attribute("requiredExtensions")
                .unwrap_or_default()
                .is_empty();
            let is_drawn = !UNDRAWN.contains(&child.tag_name().name());
            let shown = match is_drawn {
                true => expanded.shown,
                false if child.tag_name().name() == "foreignObject" && child.has_children() => {
                    Shown::Html
                }
                false => Shown::Nothing,
            };
            // Of the children of `switch`, the first that can be drawn is drawn.
            if requires_extensions || (tag == "switch" && has_choice) {
                continue;
            }
            has_choice |= child.attribute("systemLanguage").is_none();
            if candidates == Shown::Nothing {
                candidates = shown;
            }
        }
        if sum.shown == Shown::Nothing {
            sum.shown = candidates;
        }
        let mut is_hidden = false;
        let (mut shown, mut deepest) = (Shown::Nothing, 0);
        let (properties, bytes) = self.properties_of(node)?;
        sum.bytes += bytes;
        for (name, value, scope) in properties {
            is_hidden |= name == "display" && value.trim() == "none";
            for id in references(&name, &value, tag) {
                let Some(&target) = self.ids.get(id) else {
                    continue;
                };
                let expanded = self.expand(target, depth + 1)?;
                let copies = match scope {
                    Scope::Element => 1,
                    Scope::Shapes => sum.shapes.max(1),
                    Scope::Vertices => sum.vertices.max(1),
                };
                sum.bytes = sum
                    .bytes
                    .saturating_add(expanded.bytes.saturating_mul(copies));
                deepest = deepest.max(expanded.depth);
                if tag == "use" {
                    sum.shapes = sum.shapes.saturating_add(expanded.shapes);
                    sum.vertices = sum.vertices.saturating_add(expanded.vertices);
                }
                if shown == Shown::Nothing {
                    shown = expanded.shown;
                }
            }
        }
        if sum.shown == Shown::Nothing {
            sum.shown = shown;
        }
        if is_hidden {
            sum.shown = Shown::Nothing;
        }
        // An inherited reference is followed below the innermost element.
        sum.depth += deepest + 1;
        Ok(sum)
    }

    /// Measures an element without its children and references.
    fn measure_alone(&mut self, node: Node<'a, 'input>) -> Result<Expanded, Refusal> {
        let tag = node.tag_name().name();
        let mut alone = Expanded {
            bytes: ELEMENT_BYTES,
            ..Expanded::default()
        };
        for attribute in node.attributes() {
            let value = attribute.value();
            let weight = match attribute.name() {
                // It is decoded to bytes, and not kept as text.
                "href" => value.len() as u64 / 2,
                _ => value.len() as u64,
            };
            alone.bytes += ATTRIBUTE_BYTES + weight;
            self.lengths.read(node, attribute.name(), value)?;
        }
        if tag == "text" {
            let mut texts = node.descendants().filter_map(|node| node.text());
            if texts.any(|text| !text.trim().is_empty()) {
                alone.shown = Shown::Text;
            }
        }
        if SHAPES.contains(&tag) {
            let segments = match tag {
                "path" => count_segments(node.attribute("d").unwrap_or_default())?,
                "polyline" | "polygon" => {
                    let points = node.attribute("points").unwrap_or_default();
                    points.len() as u64 / 4 + 1
                }
                _ => 16,
            };
            alone.shapes = 1;
            alone.vertices = segments + 1;
            alone.bytes = alone.bytes.saturating_add(segments * SEGMENT_BYTES);
        }
        Ok(alone)
    }

    /// Returns the names and values of attributes and style declarations of an element that may refer
    /// to other elements or hide it, and the memory of all declarations.
    fn properties_of(&mut self, node: Node<'a, 'input>) -> Result<(Vec<Property>, u64), Refusal> {
        let (declarations, comparisons) = self.styles.declarations_of(node)?;
        let style = DeclarationTokenizer::from(node.attribute("style").unwrap_or_default());
        let declarations: Vec<_> = declarations.into_iter().chain(style).collect();
        let mut properties = Vec::new();
        // Comparisons are repeated for each copy.
        let mut bytes = comparisons / COMPARISONS_PER_BYTE;
        for declaration in &declarations {
            bytes += ATTRIBUTE_BYTES + declaration.value.len() as u64;
            self.lengths
                .read(node, declaration.name, declaration.value)?;
        }
        let declarations = declarations.iter().map(|each| (each.name, each.value));
        let attributes = node.attributes().map(|each| (each.name(), each.value()));
        for (name, value) in attributes.chain(declarations) {
            let is_relevant = matches!(name, "href" | "display") || value.contains("url(");
            if is_relevant {
                let scope = match name {
                    "fill" | "stroke" | "marker-start" | "marker-end" => Scope::Shapes,
                    "marker" | "marker-mid" => Scope::Vertices,
                    _ => Scope::Element,
                };
                properties.push((name.to_owned(), value.to_owned(), scope));
            }
        }
        Ok((properties, bytes))
    }
}

impl Expanded {
    /// Adds a child.
    fn add(&mut self, child: Self) {
        self.bytes = self.bytes.saturating_add(child.bytes);
        self.depth = self.depth.max(child.depth);
        self.shapes = self.shapes.saturating_add(child.shapes);
        self.vertices = self.vertices.saturating_add(child.vertices);
    }
}

/// Returns the identifiers that the value of a property refers to.
fn references<'v>(name: &str, value: &'v str, tag: &str) -> Vec<&'v str> {
    if name == "href" {
        // Links of `a` are not followed.
        let id = value.trim().strip_prefix('#').filter(|_| tag != "a");
        return id.into_iter().collect();
    }
    let functions = value.split("url(").skip(1);
    let ids = functions.filter_map(|function| {
        let argument = function.trim_start().trim_start_matches(['"', '\'']);
        let id = argument.trim_start().strip_prefix('#')?;
        let end = id.find([')', '"', '\'']).unwrap_or(id.len());
        Some(id[..end].trim())
    });
    ids.collect()
}
