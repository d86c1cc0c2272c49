//! Reading of an options object, one option at a time.

use std::str::FromStr;

use contract::{one_of_quoted, quote};
use js_sys::Function;
use strum::VariantNames;
use wasm_bindgen::prelude::*;

use super::header::check_header_value;
use super::spelling::nearest;
use crate::error::{CallError, ErrorCode, Failure, Result};
use crate::js::{describe, error_message, is_array, own_fields};

/// The caller's options, without unknown ones. Each is read once, so that a getter cannot return a
/// valid value to the check and another one to the request. Inherited fields are not options: another
/// script of the page may have added them to `Object.prototype`.
pub struct OptionsObject(Vec<(String, JsValue)>);

impl OptionsObject {
    /// Checks that the value is an object whose options are all in the lists of known names.
    pub fn read(value: &JsValue, known: &[&[&'static str]]) -> Result<Self> {
        if !is_plain_object(value) {
            let received = describe(value);
            return Err(CallError::invalid_options(format!(
                "Expected an options object, got {received}"
            )));
        }
        let fields = read_fields("option", value)?;
        match fields.iter().find(|(name, _)| !is_known(name, known)) {
            Some((unknown, _)) => Err(unknown_option(unknown, known)),
            None => Ok(Self(fields)),
        }
    }

    /// Returns options that are all omitted.
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    /// Returns the value of an option, or `None` if it is omitted or `undefined`.
    pub fn get(&self, name: impl Into<&'static str>) -> Option<JsValue> {
        let name = name.into();
        let mut fields = self.0.iter();
        let (_, value) = fields.find(|(field, value)| field == name && !value.is_undefined())?;
        Some(value.clone())
    }

    /// Returns the value of an option if `is_accepted`; `expected` describes the accepted values.
    pub fn checked(
        &self,
        name: impl Into<&'static str>,
        expected: &str,
        is_accepted: &dyn Fn(&JsValue) -> bool,
    ) -> Result<Option<JsValue>> {
        let name = name.into();
        match self.get(name) {
            Some(value) if !is_accepted(&value) => {
                Err(CallError::invalid_value(name, &value, expected))
            }
            value => Ok(value),
        }
    }

    /// Returns a non-empty string.
    pub fn text(&self, name: impl Into<&'static str>) -> Result<Option<String>> {
        let text = self.checked(name, "a non-empty string", &|value| {
            value.as_string().is_some_and(|text| !text.is_empty())
        })?;
        Ok(text.and_then(|text| text.as_string()))
    }

    /// Returns the value of a string enum.
    pub fn choice<T: FromStr + VariantNames>(
        &self,
        name: impl Into<&'static str>,
    ) -> Result<Option<T>> {
        let parse = |value: &JsValue| value.as_string()?.parse::<T>().ok();
        let expected = one_of_quoted(T::VARIANTS.iter().copied());
        let value = self.checked(name, &expected, &|value| parse(value).is_some())?;
        Ok(value.as_ref().and_then(parse))
    }

    /// Returns a function.
    pub fn function(&self, name: impl Into<&'static str>) -> Result<Option<Function>> {
        let function = self.checked(name, "a function", &JsValue::is_function)?;
        Ok(function.map(JsCast::unchecked_into))
    }

    /// Returns a number if `is_accepted`; `expected` describes the accepted numbers.
    pub fn number(
        &self,
        name: impl Into<&'static str>,
        expected: &str,
        is_accepted: fn(f64) -> bool,
    ) -> Result<Option<f64>> {
        let number = self.checked(name, expected, &|value| {
            value.as_f64().is_some_and(is_accepted)
        })?;
        Ok(number.and_then(|number| number.as_f64()))
    }

    /// Returns a duration in milliseconds.
    pub fn milliseconds(&self, name: impl Into<&'static str>) -> Result<Option<f64>> {
        let expected = "a number of milliseconds greater than 0";
        self.number(name, expected, |milliseconds| milliseconds > 0.0)
    }

    /// Returns a non-empty string that is valid as the value of a header.
    pub fn header(&self, name: impl Into<&'static str>) -> Result<Option<String>> {
        let name = name.into();
        let value = self.text(name)?;
        if let Some(value) = &value {
            check_header_value(name, value)?;
        }
        Ok(value)
    }
}

fn unknown_option(name: &str, known: &[&[&'static str]]) -> CallError {
    let hint = match nearest(name, known) {
        Some(meant) => format!("Did you mean {}?", quote(meant)),
        None => "Pass parameters newer than this library in extra.".into(),
    };
    CallError::invalid_options(format!("Unknown option {}. {hint}", quote(name)))
}

/// Whether a value is an object, and not an array.
pub fn is_plain_object(value: &JsValue) -> bool {
    value.is_object() && !is_array(value)
}

/// Returns an object's own fields. `kind` is what the message calls them.
///
/// # Errors
/// Fails if reading a field throws.
pub fn read_fields(kind: &str, object: &JsValue) -> Result<Vec<(String, JsValue)>> {
    own_fields(object).map_err(|(name, thrown)| {
        let reason = error_message(&thrown);
        let message = format!("Reading the {kind} {} threw: {reason}", quote(&name));
        let failure = Failure::new(ErrorCode::InvalidOptions, message);
        failure.with_cause(thrown).into()
    })
}

/// Whether a name is in one of the lists.
pub fn is_known(name: &str, known: &[&[&str]]) -> bool {
    known.iter().any(|names| names.contains(&name))
}
