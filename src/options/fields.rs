//! Reading the caller's object, one option at a time.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use js_sys::{Array, Function, Object};
use wasm_bindgen::prelude::*;

use super::connection::header_value;
use crate::error::{Result, Thrown};
use crate::js::{field, shown};

/// The caller's object, once it is known to hold no option that does not exist.
pub(super) struct Fields(Object);

impl Fields {
    pub(super) fn read(options: &JsValue, known: &[&[&str]]) -> Result<Self> {
        let fields = plain_object(options)
            .ok_or_else(|| refused("options", options, "an object with the call's options"))?;
        for name in names(&fields) {
            if is_known(&name, known) {
                continue;
            }
            let near = nearest(&name, known);
            let hint = match near {
                Some(_) => "; did you mean ",
                None => "; a parameter newer than this library goes into extra",
            };
            return Err(Thrown::invalid(&[
                &name,
                ": there is no option of that name",
                hint,
                near.unwrap_or_default(),
                if near.is_some() { "?" } else { "" },
            ]));
        }
        Ok(Self(fields))
    }

    /// The value of an option; `None` where it is left out or `undefined`.
    pub(super) fn get(&self, name: &str) -> Option<JsValue> {
        let value = field(&self.0, name);
        (!value.is_undefined()).then_some(value)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        let value = self.checked(name, "a text that is not empty", &|value| {
            value.as_string().is_some_and(|text| !text.is_empty())
        })?;
        Ok(value.and_then(|text| text.as_string()))
    }

    pub(super) fn function(&self, name: &str) -> Result<Option<Function>> {
        let value = self.checked(name, "a function", &JsValue::is_function)?;
        Ok(value.map(JsCast::unchecked_into))
    }

    pub(super) fn number(
        &self,
        name: &str,
        allowed: &str,
        fits: fn(f64) -> bool,
    ) -> Result<Option<f64>> {
        let value = self.checked(name, allowed, &|value| value.as_f64().is_some_and(fits))?;
        Ok(value.and_then(|number| number.as_f64()))
    }

    pub(super) fn milliseconds(&self, name: &str) -> Result<Option<f64>> {
        self.number(name, "a number of milliseconds above 0", |ms| ms > 0.0)
    }

    pub(super) fn idempotency_key(&self) -> Result<Option<String>> {
        let key = self.text("idempotencyKey")?;
        if let Some(key) = &key {
            header_value("idempotencyKey", key)?;
        }
        Ok(key)
    }

    pub(super) fn checked(
        &self,
        name: &str,
        allowed: &str,
        fits: &dyn Fn(&JsValue) -> bool,
    ) -> Result<Option<JsValue>> {
        let value = self.get(name);
        match value {
            Some(value) if !fits(&value) => Err(refused(name, &value, allowed)),
            value => Ok(value),
        }
    }
}

/// The error for an option that holds what is not allowed.
pub fn refused(name: &str, came: &JsValue, allowed: &str) -> Thrown {
    Thrown::invalid(&[name, ": came ", &shown(came), ", allowed: ", allowed])
}

pub(super) fn plain_object(value: &JsValue) -> Option<Object> {
    let is_record = value.is_object() && !Array::is_array(value);
    is_record.then(|| value.clone().unchecked_into())
}

pub(super) fn names(object: &Object) -> impl Iterator<Item = String> {
    let names = Object::keys(object);
    (0..names.length()).filter_map(move |at| names.get(at).as_string())
}

pub(super) fn is_known(name: &str, known: &[&[&str]]) -> bool {
    known.iter().any(|names| names.contains(&name))
}

/// The known name that a caller most likely meant. Case and underscores do not count, so that
/// `api_key` finds `apiKey`.
fn nearest<'a>(name: &str, known: &[&[&'a str]]) -> Option<&'a str> {
    let meant = plain(name);
    let mut best = None;
    // So many letters may differ.
    let mut least = 2.max(meant.len() / 4) + 1;
    for known in known.iter().copied().flatten() {
        let distance = distance(&meant, &plain(known));
        if distance < least {
            (least, best) = (distance, Some(*known));
        }
    }
    best
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| *letter != '_');
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// How many letters have to be changed, added, left out or swapped with their neighbour to make one
/// word of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
    let mut letter_before = None;
    for (row, letter) in one.bytes().enumerate() {
        let mut now = vec![row + 1];
        let mut wanted_before = None;
        for (column, wanted) in other.bytes().enumerate() {
            let mut least = at(&last, column) + usize::from(letter != wanted);
            least = least
                .min(at(&last, column + 1) + 1)
                .min(at(&now, column) + 1);
            if letter_before == Some(wanted) && wanted_before == Some(letter) {
                least = least.min(at(&before, column - 1) + 1);
            }
            now.push(least);
            wanted_before = Some(wanted);
        }
        (before, last) = (last, now);
        letter_before = Some(letter);
    }
    at(&last, other.len())
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_swap_counts_as_one_change() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("apikey", "apikey"), 0);
        assert_eq!(distance("apiky", "apikey"), 1);
        assert_eq!(distance("aipkey", "apikey"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
