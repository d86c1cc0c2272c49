//! Following a session until it is where its caller wants it.

use alloc::boxed::Box;

use js_sys::{Array, Function, JsString};
#[cfg(feature = "typescript")]
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::api::{Api, Reply};
use crate::error::{ErrorKind, Failure, Result, Thrown};
use crate::js::{field, stringify, text};
use crate::options::{Create, Follow, Until};
use crate::session::{self, Code};
use crate::stop::sleep;

/// The stages in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
#[allow(missing_docs)]
pub enum StageName {
    Spin,
    Preview,
    Refine,
}

/// How a stage is going.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "typescript",
    derive(Tsify),
    serde(rename_all = "snake_case")
)]
#[allow(missing_docs)]
pub enum StageState {
    Running,
    Done,
    Failed,
    Unknown,
}

/// The longest wait between two looks, in milliseconds.
const LONGEST: f64 = 15_000.0;

/// After so many looks at a session that waits for its caller to choose a spin, the wait ends.
const PATIENCE: u32 = 3;

/// Where a session comes from.
pub enum Start {
    New(Box<Create>),
    Known(Code),
}

/// Creates the session, or asks for it; where it is to be followed, until it has reached its stage.
pub async fn session(api: &Api, start: Start, follow: Option<Follow>) -> Result<JsValue> {
    let (mut reply, code) = match start {
        Start::New(create) => (session::create(api, &create).await?, None),
        Start::Known(code) => (session::get(api, &code).await?, Some(code)),
    };
    let Some(follow) = follow else {
        return Ok(reply.data);
    };
    let code = match code {
        Some(code) => code,
        None => Code::read(&field(&reply.data, "session_code"))?,
    };
    let mut interval = follow.interval;
    let mut told = JsString::default();
    let mut choosing = 0;
    loop {
        let Reply { data, retry_after } = reply;
        tell(follow.on_update.as_ref(), &data, &mut told)?;
        let (stage, state) = stage_of(&data)?;
        if state == StageState::Failed {
            return Err(failed(&data).into());
        }
        let waits_for_choice = stage == StageName::Spin
            && state == StageState::Done
            && Array::from(&field(&data, "spins")).length() > 0;
        choosing = if waits_for_choice { choosing + 1 } else { 0 };
        if choosing == PATIENCE || reached(follow.until, stage, state) {
            return Ok(data);
        }
        let mut wait = retry_after;
        reply = loop {
            sleep(wait.unwrap_or(interval)).await;
            interval = (interval * 1.5).min(LONGEST.max(follow.interval));
            match session::get(api, &code).await {
                Ok(reply) => break reply,
                // The API has answered before: what may pass is only a late answer.
                Err(Thrown::Failure(failure)) if failure.is_passing() => {
                    wait = failure.retry_after.map(|seconds| seconds * 1000.0);
                }
                Err(thrown) => return Err(thrown),
            }
        };
    }
}

fn reached(until: Until, stage: StageName, state: StageState) -> bool {
    let wanted = match until {
        Until::Spins => StageName::Spin,
        Until::Preview => StageName::Preview,
        Until::Refine => StageName::Refine,
    };
    match state {
        // Whatever it is, it is not known to be over.
        StageState::Unknown | StageState::Failed => false,
        StageState::Done => stage >= wanted,
        StageState::Running => stage > wanted,
    }
}

/// Tells the caller of the session, unless nothing has changed since. What the caller's function
/// throws ends the call.
fn tell(on_update: Option<&Function>, session: &JsValue, told: &mut JsString) -> Result<()> {
    let Some(on_update) = on_update else {
        return Ok(());
    };
    let names = Array::new();
    for name in ["status", "session_status", "percent_done"] {
        names.push(&name.into());
    }
    let now = stringify(session, &names).map_err(Thrown::Value)?;
    if *told == now {
        return Ok(());
    }
    *told = now;
    let called = on_update.call1(&JsValue::UNDEFINED, session);
    called.map(drop).map_err(Thrown::Value)
}

fn failed(session: &JsValue) -> Box<Failure> {
    let text = |name| text(session, name);
    let status = text("status").or_else(|| text("session_status"));
    let mut reasons = ["error", "message", "reason"].into_iter();
    let reason = reasons.find_map(text);
    let message = [
        "the session ended as ",
        &status.unwrap_or_default(),
        if reason.is_some() { ": " } else { "" },
        &reason.unwrap_or_default(),
    ];
    Failure::new(ErrorKind::SessionFailed, &message)
}

fn stage_of(session: &JsValue) -> Result<(StageName, StageState)> {
    let stage = read_stage(session).map_err(Thrown::Value)?;
    let word = |name| field(&stage, name).as_string().unwrap_or_default();
    let name = match &*word("stage") {
        "refine" => StageName::Refine,
        "preview" => StageName::Preview,
        _ => StageName::Spin,
    };
    let state = match &*word("state") {
        "running" => StageState::Running,
        "done" => StageState::Done,
        "failed" => StageState::Failed,
        _ => StageState::Unknown,
    };
    Ok((name, state))
}

// JavaScript, since pages call it without waiting for anything.
#[cfg_attr(feature = "std", wasm_bindgen(module = "/pkg/stage.js"))]
#[cfg_attr(not(feature = "std"), wasm_bindgen(raw_module = "../stage.js"))]
extern "C" {
    #[wasm_bindgen(js_name = stageOf, catch)]
    fn read_stage(session: &JsValue) -> Result<JsValue, JsValue>;
}
