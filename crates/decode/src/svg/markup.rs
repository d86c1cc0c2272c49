//! The text of an SVG file, before it is parsed.
//!
//! The parser of XML needs time that grows with the square of the number of attributes of an
//! element, and expands entities to any length.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::refusal::Refusal;

/// The longest text, in bytes: before and after entities are replaced.
pub const MAX_BYTES: usize = 16 << 20;
const MAX_ATTRIBUTES: usize = 256;
const MAX_PREFIXES: usize = 64;
/// Entities refer to entities, at most this deep.
const MAX_ENTITY_DEPTH: usize = 8;
const MAX_REFERENCES: usize = 100_000;
/// The longest name of an entity, in bytes.
const MAX_NAME: usize = 256;

/// Returns the text of a file without its document type, with the entities that it declares replaced.
/// Illustrator declares the namespaces as entities.
///
/// # Errors
/// Fails if the text is not in UTF-8, if it is too long, or if an element has too many attributes.
pub fn read_markup(file: &[u8]) -> Result<Cow<'_, str>, Refusal> {
    if file.len() > MAX_BYTES {
        return Err(Refusal::TooComplex);
    }
    let text = std::str::from_utf8(file).map_err(|_| Refusal::Encoding)?;
    let text = replace_entities(text.trim_start_matches('\u{feff}').trim_start())?;
    check_tags(&text)?;
    Ok(text)
}

/// Returns the position of the document type: behind the XML declaration, comments and processing
/// instructions.
fn find_document_type(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        at += match rest {
            _ if rest.starts_with("<!DOCTYPE") => return Some(at),
            _ if rest.starts_with("<!--") => rest.find("-->")? + 3,
            _ if rest.starts_with("<?") => rest.find("?>")? + 2,
            _ => return None,
        };
    }
}

fn replace_entities(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let Some(start) = find_document_type(text) else {
        return Ok(Cow::Borrowed(text));
    };
    let (entities, length) = read_document_type(&text[start..]).ok_or(Refusal::Malformed)?;
    let mut expansion = Expansion {
        entities,
        text: text[..start].to_owned(),
        references: 0,
    };
    expansion.append(&text[start + length..], 0)?;
    Ok(Cow::Owned(expansion.text))
}

/// Returns the entities that a document type declares, and its length. Returns `None` if it does not
/// end.
fn read_document_type(text: &str) -> Option<(HashMap<&str, &str>, usize)> {
    let mut entities = HashMap::new();
    let mut is_in_brackets = false;
    let mut at = "<!DOCTYPE".len();
    loop {
        let rest = text.get(at..)?;
        let next = rest.chars().next()?;
        at += match next {
            '[' if !is_in_brackets => {
                is_in_brackets = true;
                1
            }
            ']' => {
                is_in_brackets = false;
                1
            }
            '>' if !is_in_brackets => return Some((entities, at + 1)),
            '"' | '\'' => rest[1..].find(next)? + 2,
            '<' if rest.starts_with("<!--") => rest.find("-->")? + 3,
            '<' if rest.starts_with("<?") => rest.find("?>")? + 2,
            '<' if rest.starts_with("<!ENTITY") => {
                let (declaration, length) = read_entity(rest)?;
                if let Some((name, value)) = declaration {
                    // The first declaration is binding.
                    entities.entry(name).or_insert(value);
                }
                length
            }
            next => next.len_utf8(),
        };
    }
}

/// A declared name and its value, and the length of the declaration.
type Declared<'a> = (Option<(&'a str, &'a str)>, usize);

/// Reads an entity declaration. External entities and parameter entities are skipped.
fn read_entity(text: &str) -> Option<Declared<'_>> {
    let keyword = "<!ENTITY".len();
    let name = text[keyword..].trim_start();
    let name = &name[..name.find(char::is_whitespace)?];
    let start = keyword + text[keyword..].find(name)? + name.len();
    let value = text[start..].trim_start();
    let quote = value.chars().next()?;
    if name == "%" || !matches!(quote, '"' | '\'') {
        // Identifiers in quotes may contain a bracket.
        let mut at = start;
        loop {
            let next = text[at..].chars().next()?;
            at += match next {
                '>' => return Some((None, at + 1)),
                '"' | '\'' => text[at + 1..].find(next)? + 2,
                next => next.len_utf8(),
            };
        }
    }
    let value = &value[1..];
    let value = &value[..value.find(quote)?];
    let opening = start + text[start..].find(quote)?;
    let closing = opening + 1 + value.len();
    let end = closing + text[closing..].find('>')?;
    Some((Some((name, value)), end + 1))
}

/// A text in which entities are replaced.
struct Expansion<'a> {
    entities: HashMap<&'a str, &'a str>,
    text: String,
    references: usize,
}

impl Expansion<'_> {
    /// Appends a text with its entities replaced. `depth` is the number of entities that it is in.
    fn append(&mut self, mut text: &str, depth: usize) -> Result<(), Refusal> {
        while let Some(start) = text.find('&') {
            self.text.push_str(&text[..start]);
            text = &text[start..];
            let bytes = text.as_bytes().iter().take(MAX_NAME);
            let end = bytes.copied().position(|byte| byte == b';');
            let name = end.map(|end| &text[1..end]);
            let Some((name, value)) = name.and_then(|name| Some((name, *self.entities.get(name)?)))
            else {
                self.text.push('&');
                text = &text[1..];
                continue;
            };
            // Entities may be empty, so the length of the text is not enough.
            self.references += 1;
            let is_too_long = self.text.len() > MAX_BYTES || self.references > MAX_REFERENCES;
            if is_too_long || depth == MAX_ENTITY_DEPTH {
                return Err(Refusal::TooComplex);
            }
            self.append(value, depth + 1)?;
            text = &text[name.len() + 2..];
        }
        self.text.push_str(text);
        match self.text.len() > MAX_BYTES {
            true => Err(Refusal::TooComplex),
            false => Ok(()),
        }
    }
}

/// Checks the numbers of attributes and of prefixes of namespaces.
fn check_tags(text: &str) -> Result<(), Refusal> {
    let mut prefixes = HashSet::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let end = match rest {
            _ if rest.starts_with("<!--") => rest.find("-->"),
            _ if rest.starts_with("<![CDATA[") => rest.find("]]>"),
            _ if rest.starts_with("<?") => rest.find("?>"),
            _ => check_tag(rest, &mut prefixes)?,
        };
        let Some(end) = end else {
            return Err(Refusal::Malformed);
        };
        rest = &rest[end..];
    }
    Ok(())
}

/// Checks a tag and returns its length. Adds its declarations of namespaces to `prefixes`.
fn check_tag<'a>(text: &'a str, prefixes: &mut HashSet<&'a str>) -> Result<Option<usize>, Refusal> {
    let bytes = text.as_bytes();
    let (mut at, mut attributes, mut name) = (1, 0, 1);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'>' => return Ok(Some(at)),
            b'=' => {
                attributes += 1;
                let attribute = text.get(name..at).unwrap_or_default().trim();
                if attribute.starts_with("xmlns") {
                    prefixes.insert(attribute);
                }
                if attributes > MAX_ATTRIBUTES || prefixes.len() > MAX_PREFIXES {
                    return Err(Refusal::TooComplex);
                }
            }
            b'"' | b'\'' => {
                let value = &bytes[at + 1..];
                let Some(length) = value.iter().position(|&end| end == byte) else {
                    return Ok(None);
                };
                at += length + 1;
                name = at + 1;
            }
            byte if byte.is_ascii_whitespace() => name = at + 1,
            _ => {}
        }
        at += 1;
    }
    Ok(None)
}
