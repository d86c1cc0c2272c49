//! Removal of secrets from everything that leaves the library.

use std::cell::RefCell;

use js_sys::{Array, Error, JsString, Object, RegExp, encode_uri_component};
use wasm_bindgen::prelude::*;

use crate::js::{field, object_tag, own_fields};

/// The replacement of a secret.
const REPLACEMENT: &str = "[hidden]";

/// The longest secret, in bytes, that stays in results. Keys for test servers may be short and may
/// occur in a result as ordinary words.
const LONGEST_KEPT_IN_RESULTS: usize = 7;

/// The depth beyond which values are replaced instead of searched, so that no response can exhaust the
/// stack. Each array of JSON takes one level, each object three.
const MAX_DEPTH: usize = 100;

/// The depth of a thrown object up to which it is searched for secrets.
const MAX_CAUSE_DEPTH: usize = 4;

/// The text from which secrets are removed.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Error,
    Result,
}

/// The secrets of a call: the API key and the credentials in the caller's headers.
#[derive(Default)]
pub struct Redactor {
    secrets: RefCell<Vec<Secret>>,
}

struct Secret {
    length: usize,
    /// Matches the secret in every encoding that servers echo it in.
    pattern: RegExp,
}

impl Redactor {
    /// Adds a secret. Empty texts are ignored.
    pub fn add_secret(&self, secret: &str) {
        if !secret.is_empty() {
            self.secrets.borrow_mut().push(Secret {
                length: secret.len(),
                pattern: RegExp::new(&pattern(secret), "gi"),
            });
        }
    }

    /// Returns a text of an error without the secrets.
    pub fn redact_text(&self, text: &str) -> String {
        String::from(self.redact_string(text.into(), Origin::Error))
    }

    /// Returns the JSON value of an error without the secrets, which may occur in all its strings
    /// and names.
    pub fn redact_error(&self, value: &JsValue) -> JsValue {
        self.redact(value, Origin::Error, MAX_DEPTH)
    }

    /// Returns the JSON value of a result without the secrets that are longer than 7 bytes.
    pub fn redact_result(&self, value: &JsValue) -> JsValue {
        self.redact(value, Origin::Result, MAX_DEPTH)
    }

    /// Returns a thrown value, to be kept as the cause of an error. If a secret may be reachable
    /// from it, returns an error with its name and its redacted message instead.
    pub fn redact_cause(&self, thrown: &JsValue) -> JsValue {
        if self.secrets.borrow().is_empty() || self.is_without_secrets(thrown, MAX_CAUSE_DEPTH) {
            return thrown.clone();
        }
        if thrown.is_string() {
            return self.redact_error(thrown);
        }
        let text = |name| field(thrown, name).as_string().unwrap_or_default();
        let copy = Error::new(&self.redact_text(&text("message")));
        copy.set_name(&self.redact_text(&text("name")));
        copy.into()
    }

    fn redact(&self, value: &JsValue, origin: Origin, depth: usize) -> JsValue {
        if self.secrets.borrow().is_empty() {
            return value.clone();
        }
        if let Some(text) = value.dyn_ref::<JsString>() {
            return self.redact_string(text.clone(), origin).into();
        }
        if !value.is_object() {
            return value.clone();
        }
        if depth == 0 {
            return REPLACEMENT.into();
        }
        if let Some(items) = value.dyn_ref::<Array>() {
            let items = items.iter();
            let items = items.map(|item| self.redact(&item, origin, depth - 1));
            return items.collect::<Array>().into();
        }
        // Arrays of a name and a value.
        let entries = Object::entries(value.unchecked_ref());
        let entries = self.redact(&entries, origin, depth - 1);
        Object::from_entries(&entries).map_or_else(|thrown| thrown, JsValue::from)
    }

    fn redact_string(&self, text: JsString, origin: Origin) -> JsString {
        let secrets = self.secrets.borrow();
        let applies = |secret: &&Secret| {
            origin == Origin::Error || secret.length > LONGEST_KEPT_IN_RESULTS
        };
        secrets.iter().filter(applies).fold(text, |text, secret| {
            text.replace_by_pattern(&secret.pattern, REPLACEMENT)
        })
    }

    /// Whether everything that a console prints of a value is known, and contains no secret.
    fn is_without_secrets(&self, value: &JsValue, depth: usize) -> bool {
        if let Some(text) = value.dyn_ref::<JsString>() {
            return self.redact_string(text.clone(), Origin::Error) == *text;
        }
        if !value.is_object() {
            return !value.is_function();
        }
        // Other objects, such as `Headers`, do not show what they contain.
        let tag = object_tag(value);
        let is_transparent = matches!(
            &*tag,
            "[object Object]" | "[object Array]" | "[object Error]" | "[object DOMException]"
        );
        // The texts of an error are own fields in some browsers, and inherited in others.
        let texts = ["name", "message", "stack"].map(|name| field(value, name));
        let Ok(fields) = own_fields(value) else {
            return false;
        };
        let mut values = texts
            .into_iter()
            .chain(fields.into_iter().map(|(_, value)| value));
        is_transparent && depth > 0 && values.all(|value| self.is_without_secrets(&value, depth - 1))
    }
}

/// Returns a regular expression for a secret. Each character that is not alphanumeric may be escaped
/// as in JSON (also as PHP and Go do), in a URL or in HTML.
fn pattern(secret: &str) -> String {
    secret.chars().map(character_pattern).collect()
}

fn character_pattern(character: char) -> String {
    if character.is_ascii_alphanumeric() {
        return character.into();
    }
    let code = u32::from(character);
    // A header's value, and so every secret, has no character above U+00FF.
    let mut forms = vec![
        format!(r"\\?\x{code:02x}"),
        format!(r"\\u00{code:02x}"),
        format!("%{code:02x}"),
        format!("&#x0*{code:x};"),
        format!("&#0*{code};"),
    ];
    let in_url = String::from(encode_uri_component(character.encode_utf8(&mut [0; 4])));
    if in_url.starts_with('%') {
        forms.push(in_url);
    }
    forms.extend(
        match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '"' => Some("&quot;"),
            '\'' => Some("&apos;"),
            _ => None,
        }
        .map(String::from),
    );
    format!("(?:{})", forms.join("|"))
}
