//! Polling of a session until it reaches a stage.

use js_sys::{Array, Function, Math};
use wasm_bindgen::prelude::*;

use crate::api::{Api, ApiResponse};
use crate::cancel::throw_if_aborted;
use crate::error::{CallError, ErrorCode, Failure, PollOutlook, Result};
use crate::js::{field, text};
use crate::options::{Create, Follow};
use crate::retry;
use crate::session::{self, SessionCode};
use crate::stage::{StageName, StageState, stage_of};
use crate::timer::sleep;

/// The longest interval between two polls in milliseconds, unless `interval` is longer.
const LONGEST_INTERVAL: f64 = 15_000.0;

/// The factor by which the interval grows with each poll.
const INTERVAL_GROWTH: f64 = 1.5;

/// The number of polls after which a session that waits for the selection of a spin ends the wait.
const SELECTION_POLLS: u32 = 3;

/// The number of consecutive polls that something else than the API may answer, such as the login
/// page of a network.
const MAX_INTERCEPTED_POLLS: u32 = 10;

/// The session of a call.
pub enum Start {
    New(Box<Create>),
    Existing(SessionCode),
}

/// Creates or fetches a session and, with `follow`, polls it until it reaches the requested stage.
///
/// # Errors
/// Fails if a request fails, or if the session fails while it is polled.
pub async fn run_session(api: &Api, start: Start, follow: Option<Follow>) -> Result<JsValue> {
    let (mut response, code) = match start {
        Start::New(create) => (session::create(api, &create).await?, None),
        Start::Existing(code) => (session::get(api, &code).await?, Some(code)),
    };
    let Some(follow) = follow else {
        return Ok(response.data);
    };
    let code = match code {
        Some(code) => code,
        None => SessionCode::of_session(&response.data)?,
    };
    let mut interval = follow.interval;
    let mut last_reported = None;
    let mut selection_polls = 0;
    loop {
        let ApiResponse { data, retry_after } = response;
        report_update(follow.on_update.as_ref(), &data, &mut last_reported)?;
        // The caller's `onUpdate` may have aborted the call.
        if let Some(signal) = &api.connection.signal {
            throw_if_aborted(signal)?;
        }
        let (stage, state) = stage_of(&data)?;
        if state == StageState::Failed {
            return Err(session_failure(&data).into());
        }
        if awaits_selection(&data, stage, state) {
            selection_polls += 1;
        } else {
            selection_polls = 0;
        }
        if selection_polls == SELECTION_POLLS || has_reached(follow.until, stage, state) {
            return Ok(data);
        }
        let mut requested_delay = retry_after;
        let mut intercepted_polls = 0;
        response = loop {
            sleep(retry::poll_delay(requested_delay, interval, Math::random())).await;
            interval = (interval * INTERVAL_GROWTH).min(LONGEST_INTERVAL.max(follow.interval));
            let failure = match session::get(api, &code).await {
                Ok(response) => break response,
                Err(CallError::Failure(failure)) => failure,
                Err(error) => return Err(error),
            };
            // The API has responded before, so the connection itself is valid.
            match failure.poll_outlook() {
                PollOutlook::Transient => {}
                PollOutlook::Intercepted if intercepted_polls < MAX_INTERCEPTED_POLLS => {
                    intercepted_polls += 1;
                }
                PollOutlook::Intercepted | PollOutlook::Permanent => return Err(failure.into()),
            }
            requested_delay = failure.retry_after;
        };
    }
}

/// Whether the session continues only after the caller has selected a spin.
fn awaits_selection(session: &JsValue, stage: StageName, state: StageState) -> bool {
    stage == StageName::Spins
        && state == StageState::Done
        && Array::from(&field(session, "spins")).length() > 0
}

fn has_reached(until: StageName, stage: StageName, state: StageState) -> bool {
    match state {
        StageState::Unknown | StageState::Failed => false,
        StageState::Done => stage >= until,
        StageState::Running => stage > until,
    }
}

/// Calls `on_update` if the status or the percentage has changed since the last call.
///
/// # Errors
/// Fails if the function throws.
fn report_update(
    on_update: Option<&Function>,
    session: &JsValue,
    last_reported: &mut Option<[JsValue; 3]>,
) -> Result<()> {
    let Some(on_update) = on_update else {
        return Ok(());
    };
    let current = ["status", "session_status", "percent_done"].map(|name| field(session, name));
    if last_reported.as_ref() != Some(&current) {
        *last_reported = Some(current);
        on_update.call1(&JsValue::UNDEFINED, session)?;
    }
    Ok(())
}

fn session_failure(session: &JsValue) -> Box<Failure> {
    let text = |name| text(session, name);
    let status = text("status").or_else(|| text("session_status"));
    let status = status.unwrap_or_default();
    let reason = ["error", "message", "reason"].into_iter().find_map(text);
    let message = match reason {
        Some(reason) => format!("The session failed with status {status}: {reason}"),
        None => format!("The session failed with status {status}"),
    };
    Failure::new(ErrorCode::SessionFailed, message)
}
