//! Following a session until it is where its caller wants it.

use std::cell::RefCell;

use js_sys::{Array, Function, JSON};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::answer::{field, text};
use crate::api::{Api, Reply};
use crate::error::{ErrorKind, Failure, Result, Thrown};
use crate::options::{Follow, Until};
use crate::session::{self, Code};
use crate::stop::sleep;

/// How far a session is.
#[derive(Tsify)]
#[allow(dead_code)]
pub struct Stage {
    /// What was made last, or is being made.
    pub stage: StageName,
    /// How that is going; `"unknown"` where the API says what this library does not know.
    pub state: StageState,
    /// From 0 to 100, where the API says so.
    #[tsify(optional)]
    pub percent: Option<f64>,
}

/// The stages in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Tsify)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum StageName {
    Spin,
    Preview,
    Refine,
}

/// How a stage is going.
#[derive(Clone, Copy, PartialEq, Eq, Tsify)]
#[serde(rename_all = "snake_case")]
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

/// Asks for the session until it has reached the stage. `first`: the session as it was created,
/// if this call has created it.
pub async fn follow(
    api: &Api<'_>,
    code: &Code,
    until: Until,
    options: &Follow,
    mut first: Option<Reply>,
) -> Result<JsValue> {
    let mut interval = options.interval;
    // Whether the API has answered yet: from then on a failure that may pass is only a late answer.
    let mut answered = false;
    let mut told = String::new();
    let mut choosing = 0;
    loop {
        let looked = match first.take() {
            Some(reply) => Ok(reply),
            None => session::get(api, code).await,
        };
        let wait = match looked {
            Ok(Reply {
                data: session,
                retry_after,
            }) => {
                answered = true;
                tell(options.on_update.as_ref(), &session, &mut told)?;
                let (stage, state) = stage_of(&session)?;
                if state == StageState::Failed {
                    return Err(failed(&session).into());
                }
                if reached(until, stage, state) {
                    return Ok(session);
                }
                let waits_for_choice = stage == StageName::Spin
                    && state == StageState::Done
                    && field(&session, "spins")
                        .is_some_and(|spins| Array::from(&spins).length() > 0);
                choosing = if waits_for_choice { choosing + 1 } else { 0 };
                if choosing == PATIENCE {
                    return Ok(session);
                }
                retry_after
            }
            Err(Thrown::Failure(failure)) if answered && failure.is_passing() => {
                failure.retry_after.map(|seconds| seconds * 1000.0)
            }
            Err(thrown) => return Err(thrown),
        };
        sleep(wait.unwrap_or(interval)).await;
        interval = (interval * 1.5).min(LONGEST.max(options.interval));
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
fn tell(on_update: Option<&Function>, session: &JsValue, told: &mut String) -> Result<()> {
    let Some(on_update) = on_update else {
        return Ok(());
    };
    let now: Array = ["status", "session_status", "percent_done"]
        .map(|name| field(session, name).unwrap_or_default())
        .iter()
        .collect();
    let now = JSON::stringify(&now).map(String::from).unwrap_or_default();
    if *told == now {
        return Ok(());
    }
    *told = now;
    let called = on_update.call1(&JsValue::UNDEFINED, session);
    called.map(drop).map_err(Thrown::Value)
}

fn failed(session: &JsValue) -> Failure {
    let text = |name| text(session, name);
    let status = text("status").or_else(|| text("session_status"));
    let mut message = ["the session ended as ", &status.unwrap_or_default()].concat();
    if let Some(reason) = ["error", "message", "reason"].into_iter().find_map(text) {
        message.push_str(": ");
        message.push_str(&reason);
    }
    Failure::new(ErrorKind::SessionFailed, message)
}

fn stage_of(session: &JsValue) -> Result<(StageName, StageState)> {
    let stage = STAGE_OF.with_borrow(|stage_of| match stage_of {
        Some(stage_of) => stage_of.call1(&JsValue::UNDEFINED, session),
        None => Err("stageOf was not set".into()),
    });
    let stage = stage.map_err(Thrown::Value)?;
    let word = |name| field(&stage, name).and_then(|word| word.as_string());
    let name = match word("stage").as_deref() {
        Some("refine") => StageName::Refine,
        Some("preview") => StageName::Preview,
        _ => StageName::Spin,
    };
    let state = match word("state").as_deref() {
        Some("running") => StageState::Running,
        Some("done") => StageState::Done,
        Some("failed") => StageState::Failed,
        _ => StageState::Unknown,
    };
    Ok((name, state))
}

thread_local! {
    static STAGE_OF: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Says what reads a session's stage: the function that the package's entry exports. It is
/// JavaScript, since pages call it without waiting for anything.
#[wasm_bindgen(js_name = setStageOf)]
#[doc(hidden)]
pub fn set_stage_of(
    #[wasm_bindgen(unchecked_param_type = "(session: Partial<Session>) => Stage")]
    stage_of: Function,
) {
    STAGE_OF.set(Some(stage_of));
}
