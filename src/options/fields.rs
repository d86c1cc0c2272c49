//! Reading the caller's object, one option at a time.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::prelude::*;

use super::connection::header_value;
use crate::error::{Failure, Result, Thrown};
use crate::js::shown;

/// The caller's object, once it is known to hold no option that does not exist.
pub(super) struct Fields(Object);

impl Fields {
    pub(super) fn read(options: &JsValue, known: &[&[&str]]) -> Result<Self> {
        let fields = plain_object(options)
            .ok_or_else(|| refused("options", options, "an object with the call's options"))?;
        for name in names(&fields) {
            if known.iter().any(|names| names.contains(&&*name)) {
                continue;
            }
            let hint = match nearest(&name, known.iter().copied().flatten()) {
                Some(near) => ["; did you mean ", near, "?"].concat(),
                None => "; a parameter newer than this library goes into extra".into(),
            };
            return Err(Failure::invalid(
                [&name, ": there is no option of that name", &hint].concat(),
            )
            .into());
        }
        Ok(Self(fields))
    }

    /// The value of an option; `None` where it is left out or `undefined`.
    pub(super) fn get(&self, name: &str) -> Option<JsValue> {
        let value = Reflect::get(&self.0, &name.into()).ok()?;
        (!value.is_undefined()).then_some(value)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        self.checked(name, "a text that is not empty", |value| {
            value.as_string().filter(|text| !text.is_empty())
        })
    }

    pub(super) fn function(&self, name: &str) -> Result<Option<Function>> {
        self.checked(name, "a function", |value| value.dyn_into().ok())
    }

    pub(super) fn number(
        &self,
        name: &str,
        allowed: &str,
        fits: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>> {
        self.checked(name, allowed, |value| value.as_f64().filter(|n| fits(*n)))
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

    pub(super) fn checked<T>(
        &self,
        name: &str,
        allowed: &str,
        convert: impl FnOnce(JsValue) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match convert(value.clone()) {
            Some(converted) => Ok(Some(converted)),
            None => Err(refused(name, &value, allowed)),
        }
    }
}

/// The error for an option that holds what is not allowed.
pub fn refused(name: &str, came: &JsValue, allowed: &str) -> Thrown {
    Failure::invalid([name, ": came ", &shown(came), ", allowed: ", allowed].concat()).into()
}

pub(super) fn plain_object(value: &JsValue) -> Option<Object> {
    let is_record = value.is_object() && !js_sys::Array::is_array(value);
    is_record.then(|| value.clone().unchecked_into())
}

pub(super) fn names(object: &Object) -> impl Iterator<Item = String> {
    let names = Object::keys(object).into_iter();
    names.filter_map(|name| name.as_string())
}

/// The known name that a caller most likely meant. Case and underscores do not count, so that
/// `api_key` finds `apiKey`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let meant = plain(name);
    let (distance, near) = known
        .map(|known| (strsim::osa_distance(&meant, &plain(known)), *known))
        .min()?;
    (distance <= 2.max(meant.len() / 4)).then_some(near)
}
