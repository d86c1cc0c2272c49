//! The options of a request for a preview or a refined model.

use alloc::string::String;
use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::connection::{CONNECTION, Connection, DEFAULT_TIMEOUT};
use super::create::parameters;
use super::fields::Fields;
use crate::error::{Result, Thrown};
use crate::js::{set, stringify};

/// What a request for a mesh may say once more.
const PLACEMENT: [&str; 2] = ["scaled_bbox", "pivot_point"];

const SPINS: [&str; 2] = ["selected_spin_index", "selected_spin"];

/// A request for a mesh of a session that is there: its body, and what goes with it.
pub struct Mesh {
    /// The request's body.
    pub json: JsString,
    pub idempotency_key: Option<String>,
}

impl Mesh {
    /// Reads the options of `requestPreview`, or, without the spins, of `requestRefine`.
    pub fn read(options: &JsValue, with_spins: bool) -> Result<(Self, Connection)> {
        let spins = if with_spins { &SPINS[..] } else { &[] };
        let fields = Fields::read(
            options,
            &[spins, &PLACEMENT, &["idempotencyKey"], &CONNECTION],
        )?;
        let body = parameters(&fields)?;
        let index = fields.number("selected_spin_index", "0, 1, 2, 3", |index| {
            [0.0, 1.0, 2.0, 3.0].contains(&index)
        })?;
        fields.text("selected_spin")?;
        if index.is_some() && fields.get("selected_spin").is_some() {
            return Err(Thrown::invalid(&[
                "selected_spin: came together with selected_spin_index; give one",
            ]));
        }
        for name in SPINS {
            if let Some(value) = fields.get(name) {
                set(&body, name, &value);
            }
        }
        let mesh = Self {
            json: stringify(&body, &JsValue::UNDEFINED).map_err(Thrown::Value)?,
            idempotency_key: fields.idempotency_key()?,
        };
        Ok((mesh, Connection::read(&fields, DEFAULT_TIMEOUT)?))
    }
}
