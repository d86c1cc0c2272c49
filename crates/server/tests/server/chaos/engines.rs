//! The paid engines, with faults that change all the time.

use std::thread::sleep;
use std::time::Duration;

use super::run::Run;
use crate::emulators::hosted::scenario::RetryAfter;
use crate::emulators::hosted::{Emulator, Engine, KEY, Scenario};

/// How long a fault lasts, in milliseconds.
const FAULT_MILLIS: std::ops::Range<u64> = 100..1500;

/// The engines' faults. The others of [`Scenario`] last for a whole session or count its requests.
const FAULTS: [Scenario; 20] = [
    Scenario::Silent,
    Scenario::Slow(700),
    Scenario::Unreachable,
    Scenario::SubmitDelayed(600),
    Scenario::SubmitTimesOut,
    Scenario::SubmitResets,
    Scenario::SubmitReturns(502),
    Scenario::SubmitReturns(500),
    Scenario::SubmitLost,
    Scenario::SubmitRejected(503, "busy"),
    Scenario::BusyAtFirst(429, "busy", RetryAfter::Present),
    Scenario::NeverFinishes,
    Scenario::JobFails,
    Scenario::JobAborts,
    Scenario::PollsFail(503, "outage"),
    Scenario::PollsReset,
    Scenario::UnknownStatus,
    Scenario::ResultFailsAtFirst,
    Scenario::FileFails(usize::MAX),
    Scenario::FileUrlExpiresOnce,
];

/// The paid engines.
pub struct Engines(pub [Emulator; 3]);

impl Engines {
    pub fn start() -> Self {
        let engines = [Engine::Fal, Engine::Meshy, Engine::Tripo];
        Self(engines.map(|engine| Emulator::start(engine, Scenario::Normal)))
    }

    /// Returns the tables of the configuration.
    pub fn config(&self) -> String {
        let tables = self.0.iter().map(|emulator| {
            let name = emulator.engine.name();
            let (host, files) = (&emulator.host, &emulator.file_host);
            format!(
                "[engines.{name}]\nurl = \"http://{host}\"\nresult_hosts = [\"{files}\"]\n\
                 poll = 0.05\ntimeout = 1\ndeadline = 8\nmax_concurrent = 6\n"
            )
        });
        tables.collect()
    }

    /// Returns the variables with the engines' keys.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0
            .iter()
            .map(|emulator| (emulator.engine.key_variable(), KEY))
    }

    /// Changes the faults of the engines at random. At the end they work.
    pub fn fail_at_random(&self, run: &Run, random: &mut fastrand::Rng) {
        while run.is_chaotic() {
            for emulator in &self.0 {
                // Half of the time an engine works.
                let scenario = match random.bool() {
                    true => Scenario::Normal,
                    false => FAULTS[random.usize(0..FAULTS.len())],
                };
                emulator.set_scenario(scenario);
            }
            sleep(Duration::from_millis(random.u64(FAULT_MILLIS)));
        }
        for emulator in &self.0 {
            emulator.set_scenario(Scenario::Normal);
        }
    }
}
