//! The options of `requestPreview` and `requestRefine`.

use strum::VariantNames;
use wasm_bindgen::prelude::*;

use super::connection::{Connection, ConnectionOption, DEFAULT_TIMEOUT};
use super::create::{CreateOption, read_parameters, request_json};
use super::define::define_options;
use super::object::OptionsObject;
use crate::error::{CallError, Result};
use crate::types::RefineOptions;

/// The parameters that a request for a mesh can replace.
const MESH_PARAMETERS: [&str; 2] = ["scaled_bbox", "pivot_point"];

define_options! {
    /// The options of `requestPreview`. Give at most one of `selected_spin_index` and
    /// `selected_spin`.
    enum SpinOption, interface PreviewOptions extends RefineOptions {
        /// The index of the selected spin in the session's `spins`, from 0 to 3. For
        /// `preview_mesh: "turbo"`.
        SelectedSpinIndex = "selected_spin_index": "0 | 1 | 2 | 3 | undefined",
        /// The `image_url` of the selected spin. For `preview_mesh: "turbo"`.
        SelectedSpin = "selected_spin": "string | undefined",
    }
}

/// The mesh to request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MeshStage {
    Preview,
    Refine,
}

/// The options of `requestPreview` or `requestRefine`.
pub struct Mesh {
    /// The request's body.
    pub json: String,
    pub idempotency_key: Option<String>,
}

impl Mesh {
    /// Reads the options; only a preview takes the selected spin.
    pub fn read(options: &JsValue, stage: MeshStage) -> Result<(Self, Connection)> {
        let spin_options = match stage {
            MeshStage::Preview => SpinOption::VARIANTS,
            MeshStage::Refine => &[],
        };
        let known = [
            spin_options,
            &MESH_PARAMETERS,
            &[CreateOption::IdempotencyKey.into()],
            ConnectionOption::VARIANTS,
        ];
        let options = OptionsObject::read(options, &known)?;
        let parameters = read_parameters(&options)?;
        let index = options.number(SpinOption::SelectedSpinIndex, "0, 1, 2 or 3", |index| {
            [0.0, 1.0, 2.0, 3.0].contains(&index)
        })?;
        let url = options.text(SpinOption::SelectedSpin)?;
        if index.is_some() && url.is_some() {
            return Err(CallError::invalid_options(
                "Expected one of selected_spin_index and selected_spin, got both",
            ));
        }
        let selected = SpinOption::VARIANTS.iter().copied();
        let selected = selected.filter_map(|name| Some((name.to_owned(), options.get(name)?)));
        let mesh = Self {
            json: request_json(&parameters, selected.collect())?,
            idempotency_key: options.header(CreateOption::IdempotencyKey)?,
        };
        Ok((mesh, Connection::read(&options, DEFAULT_TIMEOUT)?))
    }
}
