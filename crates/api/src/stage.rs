//! The stages of a session.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::engine::Detail;

/// The stages of a session, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Creates the views (spins) to choose from.
    Spin,
    /// Creates the preview model.
    Preview,
    /// Creates the refined model.
    Refine,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Spin, Self::Preview, Self::Refine];

    pub fn next(self) -> Option<Self> {
        match self {
            Self::Spin => Some(Self::Preview),
            Self::Preview => Some(Self::Refine),
            Self::Refine => None,
        }
    }

    /// Returns the detail of the stage's model, or `None` if it creates views.
    pub fn detail(self) -> Option<Detail> {
        match self {
            Self::Spin => None,
            Self::Preview => Some(Detail::Preview),
            Self::Refine => Some(Detail::Refined),
        }
    }

    /// Returns the duration of the stage at speed 1, in seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Spin | Self::Preview => 1,
            Self::Refine => 2,
        }
    }
}

/// The state of a session's current stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Running,
    Done,
    Failed,
}

/// The stage at which a session fails, and the reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub stage: Stage,
    pub reason: String,
}

/// The speed of all sessions.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The factor by which stages are faster than [`Stage::seconds`].
    pub speed: f64,
}

impl Pace {
    pub fn duration(self, stage: Stage) -> Millis {
        (1000.0 * stage.seconds() as f64 / self.speed) as Millis
    }
}
