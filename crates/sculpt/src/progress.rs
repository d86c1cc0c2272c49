//! How the caller follows and cancels the work.

use std::ops::ControlFlow;

use crate::error::ModelError;

/// A callback that gets the part of the work that is done, from 0 to 1, and cancels the rest by
/// [`ControlFlow::Break`].
pub type Progress<'a> = dyn FnMut(f32) -> ControlFlow<()> + 'a;

/// Reports the part that is done.
///
/// # Errors
/// Returns [`ModelError::Cancelled`] if the caller cancels the work.
pub fn report(progress: &mut Progress, part: f32) -> Result<(), ModelError> {
    match progress(part) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ModelError::Cancelled),
    }
}
