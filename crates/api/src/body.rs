//! What a request's body says, read without a copy of the picture's text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use contract::{IMAGE_URL, Parameters};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::engine::VIEW_COUNT;
use crate::json::Given;
use crate::picture::Picture;

/// What is asked for at create.
pub struct Create {
    pub parameters: Parameters,
    pub picture: Picture,
    /// A preview at once, without the spins: what the API's own client of 2024 asks for.
    pub skip_spins: bool,
    /// The engine that is to make the models, by its name.
    pub engine: Option<String>,
}

/// What is asked for with a preview or a refinement.
pub struct Continue {
    /// Only `scaled_bbox` and `pivot_point` apply.
    pub parameters: Parameters,
    pub selected_spin_index: Option<usize>,
    pub selected_spin: Option<String>,
}

/// Reads the body of a create, and decodes the picture to know that it can be.
///
/// # Errors
/// What is wrong with it, in words.
pub fn create(body: &[u8]) -> Result<Create, String> {
    let mut fields = Fields::read(body)?;
    let image_url = fields.0.remove(IMAGE_URL);
    let skip_spins = fields.get("generate_preview_mesh", "true or false", Value::as_bool)?;
    let engine = fields.get("engine", "the name of an engine", |value| {
        value.as_str().map(str::to_owned)
    })?;
    let image_url = image_url
        .filter(|raw| !is_null(raw))
        .ok_or("image_url: missing; it is required")?;
    let parameters = fields.parameters()?;
    // A picture's text has nothing to unescape, so that it is borrowed.
    let Text(image_url) =
        serde_json::from_str(image_url.get()).map_err(|_| "image_url: allowed: a text")?;
    Ok(Create {
        parameters,
        picture: Picture::read(&image_url)?,
        skip_spins: skip_spins == Some(true),
        engine,
    })
}

/// Reads the body of a request for a preview or a refinement; it may be empty.
///
/// # Errors
/// What is wrong with it, in words.
pub fn carry_on(body: &[u8]) -> Result<Continue, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    let fields = Fields::read(body)?;
    let index = |value: &Value| {
        let index = usize::try_from(value.as_u64()?).ok()?;
        (index < VIEW_COUNT).then_some(index)
    };
    Ok(Continue {
        parameters: fields.parameters()?,
        selected_spin_index: fields.get("selected_spin_index", "0, 1, 2 or 3", index)?,
        selected_spin: fields.get("selected_spin", "the address of a spin", |value| {
            value.as_str().map(str::to_owned)
        })?,
    })
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    fn read(body: &'a [u8]) -> Result<Self, String> {
        let fields = serde_json::from_slice(body).map_err(|error| {
            if error.is_data() {
                "the body is no JSON object".into()
            } else {
                format!("the body is no JSON: {error}")
            }
        })?;
        Ok(Self(fields))
    }

    fn parameters(&self) -> Result<Parameters, String> {
        let mut values = BTreeMap::new();
        for &name in Parameters::NAMES {
            if let Some(value) = self.value(name)? {
                values.insert(name, value);
            }
        }
        Parameters::read(|name| values.get(name).map(Given)).map_err(|invalid| invalid.to_string())
    }

    fn get<T>(
        &self,
        name: &str,
        allowed: &str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        let converted = convert(&value);
        if converted.is_none() {
            let received = contract::Value::describe(&Given(&value));
            return Err(contract::Invalid::new(name, received, allowed).to_string());
        }
        Ok(converted)
    }

    /// A field's value. Many a client writes null for what it leaves out.
    fn value(&self, name: &str) -> Result<Option<Value>, String> {
        let Some(raw) = self.0.get(name).filter(|raw| !is_null(raw)) else {
            return Ok(None);
        };
        let value = serde_json::from_str(raw.get());
        value.map_err(|error| format!("{name}: {error}"))
    }
}

fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}
