//! The stage of a session, derived from its fields.

use strum::{EnumString, VariantNames};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::error::Result;
use crate::js::text;

/// The stages in their order. Only sessions with `preview_mesh: "turbo"` pause at the spins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, VariantNames, Tsify)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum StageName {
    Spins,
    Preview,
    Refine,
}

/// The state of a stage.
#[derive(Clone, Copy, PartialEq, Eq, EnumString, Tsify)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum StageState {
    Running,
    Done,
    Failed,
    Unknown,
}

/// Returns the stage of a session and the state of that stage.
pub fn stage_of(session: &JsValue) -> Result<(StageName, StageState)> {
    let stage = js_stage_of(session)?;
    let name = text(&stage, "stage").and_then(|name| name.parse().ok());
    let state = text(&stage, "state").and_then(|state| state.parse().ok());
    Ok((
        name.unwrap_or(StageName::Spins),
        state.unwrap_or(StageState::Unknown),
    ))
}

// Implemented in JavaScript, so that pages can call it synchronously before the wasm is loaded.
#[cfg_attr(test, wasm_bindgen(module = "/pkg/stage.js"))]
#[cfg_attr(not(test), wasm_bindgen(raw_module = "./shared.js"))]
extern "C" {
    #[wasm_bindgen(js_name = stageOf, catch)]
    fn js_stage_of(session: &JsValue) -> Result<JsValue, JsValue>;
}
