//! The style sheets of an SVG document, with limits of the time that matching them needs.

use std::cell::Cell;

use resvg::usvg::roxmltree::{Document, Node};
use simplecss::{AttributeOperator, Declaration, Element, PseudoClass, StyleSheet};

use super::refusal::Refusal;

/// The longest text of all style sheets of a document, in bytes.
const MAX_BYTES: usize = 256 << 10;
const MAX_SHEETS: usize = 64;
/// The declarations of a rule are copied for each of its selectors.
const MAX_DECLARATIONS: usize = 200_000;

/// The style sheets of a document.
pub struct Styles<'a> {
    sheet: StyleSheet<'a>,
    /// How many elements may still be compared with parts of selectors.
    comparisons: Cell<u64>,
}

impl<'a> Styles<'a> {
    /// Reads the style sheets of a document.
    ///
    /// # Errors
    /// Fails if they are too long.
    pub fn read(document: &'a Document<'_>) -> Result<Self, Refusal> {
        let mut sheet = StyleSheet::new();
        let (mut bytes, mut sheets, mut declarations) = (0, 0, 0);
        let nodes = document.descendants();
        for node in nodes.filter(|node| node.has_tag_name("style")) {
            let text = node.text().unwrap_or_default();
            bytes += text.len();
            sheets += 1;
            declarations += text.split('}').map(count_declarations).sum::<usize>();
            if bytes > MAX_BYTES || sheets > MAX_SHEETS || declarations > MAX_DECLARATIONS {
                return Err(Refusal::TooComplex);
            }
            sheet.parse_more(text);
        }
        let comparisons = Cell::new(20_000_000);
        Ok(Self { sheet, comparisons })
    }

    /// Returns the declarations that apply to an element, and the number of comparisons.
    ///
    /// # Errors
    /// Fails if too many comparisons are needed in the whole document.
    pub fn declarations_of(
        &self,
        node: Node<'_, '_>,
    ) -> Result<(Vec<Declaration<'a>>, u64), Refusal> {
        let before = self.comparisons.get();
        let element = CountedElement {
            node,
            comparisons: &self.comparisons,
        };
        let rules = self.sheet.rules.iter();
        let rules = rules.filter(|rule| {
            element.count();
            rule.selector.matches(&element)
        });
        let declarations = rules.flat_map(|rule| rule.declarations.iter().copied());
        let declarations = declarations.collect();
        match self.comparisons.get() {
            0 => Err(Refusal::TooComplex),
            left => Ok((declarations, before - left)),
        }
    }
}

/// Returns how many copies of declarations a rule leads to. `rule` may have no end.
fn count_declarations(rule: &str) -> usize {
    let (selectors, declarations) = rule.split_once('{').unwrap_or((rule, ""));
    let count = |text: &str, separator| text.matches(separator).count() + 1;
    count(selectors, ',').saturating_mul(count(declarations, ';'))
}

/// An element that counts how often it is compared. It matches nothing after too many comparisons.
struct CountedElement<'c, 'a, 'input> {
    node: Node<'a, 'input>,
    comparisons: &'c Cell<u64>,
}

impl<'a, 'input> CountedElement<'_, 'a, 'input> {
    fn count(&self) -> Option<()> {
        let left = self.comparisons.get().saturating_sub(1);
        self.comparisons.set(left);
        (left > 0).then_some(())
    }

    fn other(&self, node: Option<Node<'a, 'input>>) -> Option<Self> {
        self.count()?;
        let comparisons = self.comparisons;
        node.map(|node| Self { node, comparisons })
    }
}

impl Element for CountedElement<'_, '_, '_> {
    fn parent_element(&self) -> Option<Self> {
        self.other(self.node.parent_element())
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.other(self.node.prev_sibling_element())
    }

    fn has_local_name(&self, name: &str) -> bool {
        self.count().is_some() && self.node.tag_name().name() == name
    }

    fn attribute_matches(&self, local_name: &str, operator: AttributeOperator<'_>) -> bool {
        let value = self.count().and_then(|()| self.node.attribute(local_name));
        // A list of classes is as long as the file allows.
        let steps = value.map_or(0, |value| value.len() as u64 / 64);
        let left = self.comparisons.get().saturating_sub(steps);
        self.comparisons.set(left);
        value.is_some_and(|value| left > 0 && operator.matches(value))
    }

    fn pseudo_class_matches(&self, class: PseudoClass<'_>) -> bool {
        class == PseudoClass::FirstChild && self.prev_sibling_element().is_none()
    }
}
