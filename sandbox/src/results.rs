//! The files that a session ends with, made when its time has come.
//!
//! They are made by the request that first looks at the session afterwards, and not before: what
//! was due when the process ended is simply still due when the next one starts.

use std::convert::Infallible;

use image::{DynamicImage, Rgb, RgbImage};
use sculpt::Files;

use crate::record::Record;
use crate::sessions::IMAGE;
use crate::store::StoreError;
use crate::{Millis, Sandbox, picture};

/// The session at `now`, with all results that are due.
pub fn up_to_date(
    sandbox: &Sandbox,
    code: &str,
    now: Millis,
) -> Result<Option<Record>, StoreError> {
    let record = sandbox.sessions.get(code);
    if record
        .as_ref()
        .is_none_or(|record| record.due(now).is_none())
    {
        return Ok(record);
    }
    // One at a time: a decoded picture is large, and whoever waits here for the same session finds
    // it made.
    let _sculpting = sandbox.sculpting();
    while let Some(record) = sandbox.sessions.get(code) {
        let Some(stage) = record.due(now) else {
            return Ok(Some(record));
        };
        let made = look(sandbox, &record, record.chosen_spin)?
            .and_then(|picture| sculpt::sculpt(&picture, &record.parameters));
        let (files, outcome) = match made {
            Ok(Files { glb }) => {
                let bytes = glb.len() as u64;
                let files = stage.file().map(|name| (name, glb));
                (files, Ok(bytes))
            }
            Err(reason) => (None, Err(reason)),
        };
        let files = files.into_iter().collect();
        sandbox.sessions.change(code, files, |record| {
            match outcome {
                Ok(bytes) => record.made(stage, bytes),
                Err(reason) => record.fail(stage, reason),
            }
            Ok::<_, Infallible>(())
        })?;
    }
    Ok(None)
}

/// One of the views of the session's picture. The inner error is why there is none.
pub fn look(
    sandbox: &Sandbox,
    record: &Record,
    spin: usize,
) -> Result<Result<DynamicImage, String>, StoreError> {
    let picture = if record.remote.is_some() {
        // Nothing is fetched from elsewhere; a grey square stands in.
        Ok(RgbImage::from_pixel(1, 1, Rgb([200; 3])).into())
    } else {
        match sandbox.sessions.file(&record.code, IMAGE)? {
            Some(bytes) => picture::decode(&bytes),
            None => Err("the picture is gone".into()),
        }
    };
    Ok(picture.map(|picture| sculpt::spin(&picture, spin)))
}
