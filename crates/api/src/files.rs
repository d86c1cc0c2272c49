//! The files of a session: what they are called, and what is answered to those who fetch them.

use std::panic::catch_unwind;

use http::StatusCode;

use crate::answer::{refused, with_type};
use crate::engine::VIEW_COUNT;
use crate::record::Stage;
use crate::refusal::{Refusal, missing, no_session};
use crate::{Api, Millis, Response};

/// The name of the file with the session's picture.
pub const IMAGE: &str = "image";

/// A format that models are offered in.
pub struct Format {
    /// As the fields of a session and the files' names end.
    pub name: &'static str,
    media_type: &'static str,
    /// How it is written from the GLB, which is what is stored.
    written: Option<sculpt::Format>,
}

/// All formats of models. STL, for printing, is one more than the API documents.
pub const FORMATS: [Format; 4] = [
    Format {
        name: "glb",
        media_type: "model/gltf-binary",
        written: None,
    },
    Format {
        name: "obj",
        media_type: "model/obj",
        written: Some(sculpt::Format::Obj),
    },
    Format {
        name: "zip",
        media_type: "application/zip",
        written: Some(sculpt::Format::Zip),
    },
    Format {
        name: "stl",
        media_type: "model/stl",
        written: Some(sculpt::Format::Stl),
    },
];

impl Format {
    /// Whether it is the one that is stored, which is there even where no other can be written.
    pub fn is_stored(&self) -> bool {
        self.written.is_none()
    }
}

/// Whether the other formats can be written from a GLB.
pub fn can_convert(glb: &[u8]) -> bool {
    catch_unwind(|| sculpt::can_convert(glb)).unwrap_or(false)
}

/// The name of the file with one of the views, counted from 0.
pub fn spin_file(view: usize) -> String {
    format!("spin-{view}.png")
}

/// The names of all files that may be stored with a session.
pub fn stored() -> impl Iterator<Item = String> {
    let models = [Stage::Preview, Stage::Refine].map(Stage::file);
    let others = [IMAGE.to_owned()]
        .into_iter()
        .chain((0..VIEW_COUNT).map(spin_file));
    models.into_iter().flatten().chain(others)
}

/// Answers a file of a session, as soon as the session says that it is there. Where callers have
/// keys, its address carries a ticket instead, and is not known without.
pub fn answer(
    sandbox: &Api,
    code: &str,
    name: &str,
    query: &str,
    now: Millis,
) -> Result<Response, Refusal> {
    let nothing = || missing(format!("session {code} has no file {name}"));
    let record = sandbox.sessions.get(code);
    let record = record.ok_or_else(|| no_session(code))?;
    let ticket = query.strip_prefix("ticket=");
    if sandbox.gate.is_closed() && (ticket.is_none() || ticket != record.ticket.as_deref()) {
        return Err(no_session(code));
    }
    let file = |name: &str| sandbox.sessions.file(code, name)?.ok_or_else(nothing);
    if name == IMAGE {
        let bytes = file(name)?;
        let media_type = contract::sniff(&bytes).unwrap_or("application/octet-stream");
        return Ok(with_type(StatusCode::OK, media_type, bytes));
    }
    if (0..VIEW_COUNT).any(|view| spin_file(view) == name) && record.has_spins(now) {
        return Ok(with_type(StatusCode::OK, "image/png", file(name)?));
    }
    let (stem, ending) = name.split_once('.').ok_or_else(nothing)?;
    let format = FORMATS.iter().find(|format| format.name == ending);
    let format = format.ok_or_else(nothing)?;
    let stage = [Stage::Preview, Stage::Refine]
        .into_iter()
        .find(|stage| stage.stem() == Some(stem) && record.has(*stage, now))
        .ok_or_else(nothing)?;
    let glb = file(&stage.file().ok_or_else(nothing)?)?;
    let written = match format.written {
        None => Ok(glb),
        // A model that was made elsewhere may be anything.
        Some(format) => catch_unwind(|| sculpt::convert(&glb, format))
            .map_err(|_| "the model file contradicts itself".to_owned())
            .and_then(|written| written.map_err(|error| error.to_string())),
    };
    let result = match written {
        Ok(bytes) => with_type(StatusCode::OK, format.media_type, bytes),
        Err(reason) => {
            let words = format!("the model cannot be written as {ending}: {reason}");
            refused(StatusCode::INTERNAL_SERVER_ERROR, &words)
        }
    };
    Ok(match record.shape {
        Some(shape) => shape.result(result),
        None => result,
    })
}
