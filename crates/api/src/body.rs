//! The bodies of requests.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Formatter};
use std::str::FromStr;

use contract::{
    CUTOUT, CutoutChoice, IMAGE_URL, Invalid, MASK_URL, Missing, Parameters, SHAPE, ShapeChoice,
    Value as _, one_of_quoted, quote,
};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use strum::VariantNames;

use crate::engine::VIEW_COUNT;
use crate::error::ApiError;
use crate::files::spin_file;
use crate::image_source::{IMAGE_URL_FORMS, ImageSource, MASK_URL_FORM, parse_mask};
use crate::json::{JsonValue, describe_raw};
use crate::later_parameters::{self, BoundingBox, LaterParameters};
use crate::stage::Stage;

const BOOLEANS: &str = "true or false";
const REPRESENTABLE: &str = "numbers up to 1.7e308 and at most 127 levels of nesting";
const SPIN_INDEXES: &str = "0, 1, 2 or 3";

/// The body of a request that creates a session.
pub struct CreateBody {
    pub parameters: Parameters,
    pub image: ImageSource,
    /// The preview if the caller skips the spins, as the API's own client of 2024 does with
    /// `generate_preview_mesh`.
    pub first_stage: Stage,
    /// The name of the selected engine.
    pub engine: Option<String>,
    /// How the object is separated from its background, unless the caller sent a mask.
    pub cutout: CutoutChoice,
    /// The kind of shape that the caller wants.
    pub shape: ShapeChoice,
    /// The file of the caller's mask, which is not decoded yet.
    pub mask: Option<Vec<u8>>,
    /// The names of parameters of later versions of the API that have no effect.
    pub ignored: Vec<String>,
}

impl CreateBody {
    /// Parses a body. The text of the image is not copied.
    ///
    /// # Errors
    /// Fails if the body is invalid.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Fields::parse(body)?;
        let image_url = fields.0.remove(IMAGE_URL);
        let mask_url = fields.0.remove(MASK_URL);
        let skips_spins = fields.get("generate_preview_mesh", BOOLEANS, Value::as_bool)?;
        let engine = fields.get("engine", "the name of an engine", |value| {
            value.as_str().map(str::to_owned)
        })?;
        let image_url = image_url
            .filter(|raw| !is_null(raw))
            .ok_or_else(|| Missing::new(IMAGE_URL, IMAGE_URL_FORMS).to_string())?;
        let cutout = fields.choice(CUTOUT)?;
        let shape = fields.choice(SHAPE)?;
        let mut parameters = fields.parameters()?;
        let LaterParameters {
            unsupported,
            is_textured,
        } = fields.later_parameters(&parameters)?;
        parameters.generate_texture = parameters.generate_texture.or(is_textured);
        let Text(image_url) = parse_text(IMAGE_URL, image_url, IMAGE_URL_FORMS)?;
        let mask_url = mask_url.filter(|raw| !is_null(raw));
        let mask = mask_url.map(|raw| {
            let Text(mask_url) = parse_text(MASK_URL, raw, MASK_URL_FORM)?;
            parse_mask(&mask_url)
        });
        Ok(Self {
            parameters,
            image: ImageSource::parse(&image_url)?,
            first_stage: match skips_spins {
                Some(true) => Stage::Preview,
                Some(false) | None => Stage::Spin,
            },
            engine,
            cutout,
            shape,
            mask: mask.transpose()?,
            ignored: unsupported,
        })
    }
}

/// The body of a request that starts a preview or a refinement. `cutout`, `shape` and `mask_url` have
/// no effect here: the stages of a session share the cutout of the first one.
pub struct StageBody {
    /// Only `scaled_bbox` and `pivot_point` are used.
    pub parameters: Parameters,
    selected_spin_index: Option<usize>,
    selected_spin: Option<String>,
}

impl StageBody {
    /// Parses a body, which may be empty.
    ///
    /// # Errors
    /// Returns the message for the caller if the body is invalid.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let body = if body.is_empty() { b"{}" } else { body };
        let fields = Fields::parse(body)?;
        let index = |value: &Value| {
            let index = usize::try_from(value.as_u64()?).ok()?;
            (index < VIEW_COUNT).then_some(index)
        };
        Ok(Self {
            parameters: fields.parameters()?,
            selected_spin_index: fields.get("selected_spin_index", SPIN_INDEXES, index)?,
            selected_spin: fields.get("selected_spin", "the URL of a spin", |value| {
                value.as_str().map(str::to_owned)
            })?,
        })
    }

    /// Returns the index of the spin that the body selects, by its index or by its URL.
    ///
    /// # Errors
    /// Returns the message for the caller if no spin, another session's spin or two different spins
    /// are selected.
    pub fn selected_spin(&self, code: &str) -> Result<usize, String> {
        let by_url = match &self.selected_spin {
            Some(url) => Some(spin_of_url(url, code)?),
            None => None,
        };
        match (self.selected_spin_index, by_url) {
            (Some(index), Some(other)) if index != other => {
                Err("selected_spin_index and selected_spin must select the same spin".into())
            }
            (Some(index), _) | (None, Some(index)) => Ok(index),
            (None, None) => Err(Missing::new(
                "selected_spin_index",
                "0, 1, 2 or 3, or the URL of a spin in selected_spin",
            )
            .to_string()),
        }
    }
}

/// Returns the index of the spin at a URL of any host: the caller may reach this server under
/// another name than the one in the session's URLs.
fn spin_of_url(url: &str, code: &str) -> Result<usize, String> {
    // The query holds the token of the file.
    let path = url.split('?').next().unwrap_or(url);
    (0..VIEW_COUNT)
        .find(|index| path.ends_with(&format!("/files/{code}/{}", spin_file(*index))))
        .ok_or_else(|| {
            let expected = "the URL of one of this session's spins";
            Invalid::new("selected_spin", quote(url), expected).to_string()
        })
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Parses a string, which is borrowed from the body: base64 has nothing to unescape.
fn parse_text<'a>(
    name: &'static str,
    raw: &'a RawValue,
    expected: &str,
) -> Result<Text<'a>, String> {
    let text = serde_json::from_str(raw.get());
    text.map_err(|_| Invalid::new(name, describe_raw(raw), expected).to_string())
}

/// The fields of a JSON object that have a meaning, unparsed. The others are dropped while they are
/// read: a million of them took ten times the memory of the body.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

/// The names of the fields that are not parameters of the model.
const OTHER_NAMES: [&str; 8] = [
    IMAGE_URL,
    CUTOUT,
    SHAPE,
    MASK_URL,
    "generate_preview_mesh",
    "engine",
    "selected_spin_index",
    "selected_spin",
];

fn is_known(name: &str) -> bool {
    Parameters::NAMES.contains(&name)
        || OTHER_NAMES.contains(&name)
        || later_parameters::NAMES.contains(&name)
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(Text(name)) = map.next_key()? {
            if is_known(&name) {
                fields.insert(name.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Fields(fields))
    }
}

impl<'a> Fields<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| {
            if error.is_data() {
                "The request body must be a JSON object".into()
            } else {
                let (line, column) = (error.line(), error.column());
                format!("The request body is not valid JSON (line {line}, column {column})")
            }
        })
    }

    fn parameters(&self) -> Result<Parameters, String> {
        let mut values = BTreeMap::new();
        for name in Parameters::NAMES.iter().copied() {
            if let Some(value) = self.value(name)? {
                values.insert(name, value);
            }
        }
        Parameters::read(|name| values.get(name).map(JsonValue))
            .map_err(|invalid| invalid.to_string())
    }

    fn later_parameters(&self, parameters: &Parameters) -> Result<LaterParameters, String> {
        let bounding_box = match parameters.has_automatic_size() {
            true => BoundingBox::Automatic,
            false => BoundingBox::Ordered,
        };
        let mut later = LaterParameters::default();
        for name in later_parameters::NAMES {
            if let Some(value) = self.value(name)? {
                later.add(name, &value, bounding_box);
            }
        }
        Ok(later)
    }

    /// Returns one of the named values, the default if the field is omitted.
    fn choice<T: FromStr + VariantNames + Default>(&self, name: &str) -> Result<T, String> {
        let expected = one_of_quoted(T::VARIANTS.iter().copied());
        let chosen = self.get(name, &expected, |value| value.as_str()?.parse().ok())?;
        Ok(chosen.unwrap_or_default())
    }

    fn get<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        let converted = convert(&value);
        if converted.is_none() {
            let received = JsonValue(&value).describe();
            return Err(Invalid::new(name, received, expected).to_string());
        }
        Ok(converted)
    }

    /// Returns the value of a field. Null counts as omitted, because many clients write null for
    /// what they omit.
    fn value(&self, name: &str) -> Result<Option<Value>, String> {
        debug_assert!(is_known(name), "{name} is dropped");
        let Some(raw) = self.0.get(name).filter(|raw| !is_null(raw)) else {
            return Ok(None);
        };
        // The JSON is valid, but not every valid number or depth can be represented.
        let value = serde_json::from_str(raw.get());
        value.map_err(|_| Invalid::new(name, describe_raw(raw), REPRESENTABLE).to_string())
    }
}

fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}
