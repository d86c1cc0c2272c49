//! The options of a call that follows a session.

use contract::Parameters;
use js_sys::Function;
#[cfg(feature = "typescript")]
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::connection::{CONNECTION, Connection};
use super::create::{CREATE, Create};
use super::fields::Fields;
use crate::error::Result;

/// A refinement may take longer than ten minutes.
const DEFAULT_WAIT: f64 = 3_600_000.0;

const DEFAULT_INTERVAL: f64 = 2000.0;

const FOLLOW: [&str; 2] = ["onUpdate", "interval"];

/// A stage of a session, as something to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
#[allow(missing_docs)]
pub enum Until {
    Spins,
    Preview,
    Refine,
}

/// How to follow a session.
pub struct Follow {
    pub until: Until,
    pub on_update: Option<Function>,
    /// In milliseconds.
    pub interval: f64,
}

impl Follow {
    fn read(fields: &Fields, until: Until) -> Result<Self> {
        Ok(Self {
            until,
            on_update: fields.function("onUpdate")?,
            interval: fields.milliseconds("interval")?.unwrap_or(DEFAULT_INTERVAL),
        })
    }

    /// Reads the options of `waitForSession`.
    pub fn read_wait(options: &JsValue) -> Result<(Self, Connection)> {
        let fields = Fields::read(options, &[&["until"], &FOLLOW, &CONNECTION])?;
        let until = fields.checked("until", "\"spins\", \"preview\", \"refine\"", &|value| {
            Until::of(value).is_some()
        })?;
        let until = until.and_then(|value| Until::of(&value));
        let connection = Connection::read(&fields, DEFAULT_WAIT)?;
        let follow = Self::read(&fields, until.unwrap_or(Until::Preview))?;
        Ok((follow, connection))
    }

    /// Reads the options of `imageTo3d`.
    pub fn read_with_create(options: &JsValue) -> Result<(Create, Self, Connection)> {
        let known = [Parameters::NAMES, &CREATE, &FOLLOW, &CONNECTION];
        let fields = Fields::read(options, &known)?;
        let (create, connection) = Create::from(&fields, DEFAULT_WAIT)?;
        let follow = Self::read(&fields, asked_for(&fields))?;
        Ok((create, follow, connection))
    }
}

impl Until {
    fn of(name: &JsValue) -> Option<Self> {
        match &*name.as_string()? {
            "spins" => Some(Self::Spins),
            "preview" => Some(Self::Preview),
            "refine" => Some(Self::Refine),
            _ => None,
        }
    }
}

/// The stage at which a session with these parameters ends.
fn asked_for(parameters: &Fields) -> Until {
    if parameters.is_turbo() {
        Until::Spins
    } else if parameters
        .get("auto_refine")
        .is_some_and(|asked| asked.is_truthy())
    {
        Until::Refine
    } else {
        Until::Preview
    }
}
