//! The options of a call that waits for a session.

use contract::{Parameters, PreviewMesh};
use js_sys::Function;
use strum::{EnumString, VariantNames};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::connection::{Connection, ConnectionOption, ConnectionOptions};
use super::create::{CREATE_OPTIONS, Create};
use super::define::define_options;
use super::object::OptionsObject;
use crate::error::Result;
use crate::stage::StageName;

/// One hour, in milliseconds: a refinement may take longer than ten minutes.
const DEFAULT_TIMEOUT: f64 = 3_600_000.0;

/// In milliseconds.
const DEFAULT_INTERVAL: f64 = 2000.0;

define_options! {
    /// The options of calls that wait for a session.
    enum FollowOption, interface FollowOptions {
        /// Called with the session when its status or its percentage has changed, and with the first
        /// response. If the function throws, the call rejects with that exception.
        OnUpdate = "onUpdate": "((session: Session) => void) | undefined",
        /// The delay before the second poll in milliseconds. Default: `2000`.
        ///
        /// Each following delay is 1.5 times as long, up to 15 s (or to `interval`, if that is
        /// longer). A `Retry-After` of the API replaces it.
        Interval = "interval": "number | undefined",
    }
}

define_options! {
    /// The options of `waitForSession`.
    enum WaitOption, interface WaitOptions extends FollowOptions, ConnectionOptions {
        /// The stage to wait for. Default: `"preview"`.
        Until = "until": "StageName | undefined",
    }
}

/// What happens to the session of an aborted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames, Tsify)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum OnAbort {
    Keep,
    Delete,
}

define_options! {
    /// The option that only `imageTo3d` has.
    enum AbortOption, interface AbortOptions {
        /// What happens to the session if `signal` is aborted after its creation. Default: `"keep"`,
        /// which leaves it running on the server, where it may still cost money.
        ///
        /// With `"delete"` the library then also sends the request of `deleteSession`, without
        /// waiting for its response; if that fails, it logs a warning. A session whose creation was
        /// not confirmed before the abort has no known code and cannot be deleted.
        OnAbort = "onAbort": "OnAbort | undefined",
    }
}

/// How to wait for a session.
pub struct Follow {
    pub until: StageName,
    pub on_update: Option<Function>,
    /// In milliseconds.
    pub interval: f64,
    pub on_abort: OnAbort,
}

impl Follow {
    /// Reads the options of `waitForSession`.
    pub fn read(options: &JsValue) -> Result<(Self, Connection)> {
        let known = [
            WaitOption::VARIANTS,
            FollowOption::VARIANTS,
            ConnectionOption::VARIANTS,
        ];
        let options = OptionsObject::read(options, &known)?;
        let until = options.choice(WaitOption::Until)?;
        let connection = Connection::read(&options, DEFAULT_TIMEOUT)?;
        let follow = Self::read_from(&options, until.unwrap_or(StageName::Preview))?;
        Ok((follow, connection))
    }

    /// Reads the options of `imageTo3d`.
    pub fn read_with_create(options: &JsValue) -> Result<(Create, Self, Connection)> {
        let [parameters, image, create, connection] = CREATE_OPTIONS;
        let known = [
            parameters,
            image,
            create,
            FollowOption::VARIANTS,
            AbortOption::VARIANTS,
            connection,
        ];
        let options = OptionsObject::read(options, &known)?;
        let (create, connection) = Create::read_from(&options, DEFAULT_TIMEOUT)?;
        let follow = Self::read_from(&options, last_stage(&create.parameters))?;
        Ok((create, follow, connection))
    }

    fn read_from(options: &OptionsObject, until: StageName) -> Result<Self> {
        Ok(Self {
            until,
            on_update: options.function(FollowOption::OnUpdate)?,
            interval: options
                .milliseconds(FollowOption::Interval)?
                .unwrap_or(DEFAULT_INTERVAL),
            on_abort: options
                .choice(AbortOption::OnAbort)?
                .unwrap_or(OnAbort::Keep),
        })
    }
}

/// Returns the stage at which a session with these parameters pauses or ends.
fn last_stage(parameters: &Parameters) -> StageName {
    if parameters.preview_mesh == Some(PreviewMesh::Turbo) {
        StageName::Spins
    } else if parameters.auto_refine == Some(true) {
        StageName::Refine
    } else {
        StageName::Preview
    }
}
