//! The progress of a session.

use crate::clock::Millis;
use crate::engine::SCULPT;
use crate::record::Record;
use crate::stage::{Stage, State};

/// The progress of a running job.
#[derive(Clone, Default)]
pub struct JobProgress {
    /// The completed part of the job, from 0 to 1.
    pub fraction: f32,
    /// The `engine_status`, if the engine set one.
    pub status: Option<String>,
}

/// Returns the `percent_done` of a session. `fraction` is the completed part of its next job, from
/// 0 to 1.
pub fn percent_done(record: &Record, now: Millis, fraction: f32) -> u8 {
    if record.is_complete(now) {
        return 100;
    }
    let percent = match record.engine.as_str() {
        SCULPT => percent_by_time(record, now, fraction),
        _ => percent_of_engine(record, fraction),
    };
    // 100 only once the result is stored.
    percent.min(99)
}

/// Returns the progress that a remote engine reports for the preview. The other stages take it no
/// time: the views are created by this server, and a refinement is the same model again.
fn percent_of_engine(record: &Record, fraction: f32) -> u8 {
    let preview = record.span(Stage::Preview);
    let has_preview = preview.is_some_and(|span| span.has_result());
    let next_stage = record.next_job().map(|job| job.stage);
    let fraction = match (has_preview, next_stage) {
        (true, _) => 1.0,
        (false, Some(Stage::Preview)) => fraction,
        _ => 0.0,
    };
    (100.0 * fraction).round() as u8
}

/// Returns the elapsed part of the time that all requested stages take, limited by the progress of
/// the current job.
fn percent_by_time(record: &Record, now: Millis, fraction: f32) -> u8 {
    let (current, state) = record.stage_at(now);
    let job = record.next_job();
    let has_job = job.is_some_and(|job| job.stage == current);
    let limit = if has_job { f64::from(fraction) } else { 1.0 };
    let is_refined =
        record.span(Stage::Refine).is_some() || record.parameters.auto_refine == Some(true);
    let (mut total, mut done) = (0.0, 0.0);
    let mut next = Some(record.first_stage());
    while let Some(stage) = next {
        let weight = stage.seconds() as f64;
        let part = match record.span(stage) {
            Some(span) if stage == current && state == State::Running => {
                span.elapsed(now).min(limit)
            }
            _ if stage < current || (stage == current && state == State::Done) => 1.0,
            _ => 0.0,
        };
        total += weight;
        done += weight * part;
        next = stage
            .next()
            .filter(|next| *next < Stage::Refine || is_refined);
    }
    (100.0 * done / total) as u8
}
