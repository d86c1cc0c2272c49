//! Emulators of the hosted engines: fal, Meshy and Tripo, and of ComfyUI.

mod comfyui;
mod engine;
mod fal;
mod faults;
pub mod files;
mod meshy;
pub mod scenario;
mod secrets;
mod state;
mod tripo;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

use super::clock::Clock;
use super::http::{Reply, Request, serve};

pub use engine::Engine;
pub use scenario::Scenario;
pub use secrets::KEY;
pub use state::Job;
use state::State;

/// How much faster than real time the emulators' clocks run.
const SPEED: f64 = 20.0;

/// A running emulator. Clones share its state.
#[derive(Clone)]
pub struct Emulator {
    pub engine: Engine,
    /// `127.0.0.1:<port>` of its API.
    pub host: String,
    /// `127.0.0.1:<port>` of its result files.
    pub file_host: String,
    pub clock: Clock,
    state: Arc<Mutex<State>>,
    scenario: Arc<Mutex<Scenario>>,
}

impl Emulator {
    pub fn start(engine: Engine, scenario: Scenario) -> Self {
        Self::with_clock(Clock::new(SPEED), engine, scenario)
    }

    /// Starts an emulator whose clock runs `speed` times faster than real time.
    pub fn with_speed(speed: f64, engine: Engine, scenario: Scenario) -> Self {
        Self::with_clock(Clock::new(speed), engine, scenario)
    }

    /// Starts an emulator whose clock advances only by `clock.skip`.
    pub fn with_manual_clock(engine: Engine, scenario: Scenario) -> Self {
        Self::with_clock(Clock::new(0.0), engine, scenario)
    }

    fn with_clock(clock: Clock, engine: Engine, scenario: Scenario) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let scenario = Arc::new(Mutex::new(scenario));

        let (shared_state, shared_scenario) = (state.clone(), scenario.clone());
        let file_host = serve(move |request| {
            let scenario = *shared_scenario.lock().unwrap();
            // A failed assertion poisons the lock, so that the test fails too.
            let mut state = shared_state.lock().unwrap();
            state.downloads += 1;
            files::respond(request, engine, scenario, state.downloads)
        });

        let (shared_state, shared_scenario) = (state.clone(), scenario.clone());
        let (files, time) = (file_host.clone(), clock.clone());
        let host = serve(move |request| {
            let scenario = *shared_scenario.lock().unwrap();
            let mut state = shared_state.lock().unwrap();
            if scenario == Scenario::Unreachable {
                state.resets += 1;
                return Reply::Reset;
            }
            if scenario == Scenario::Silent {
                return faults::never_arrives();
            }
            let now = time.now();
            let reply = match engine {
                Engine::Fal => fal::respond(request, scenario, &mut state, now, &files),
                Engine::Meshy => meshy::respond(request, scenario, &mut state, now, &files),
                Engine::Tripo => tripo::respond(request, scenario, &mut state, now, &files),
                Engine::ComfyUi => comfyui::respond(request, scenario, &mut state, now),
            };
            drop(state);
            match scenario {
                Scenario::SubmitDelayed(time) if is_submit(request) => {
                    Reply::Delayed(Duration::from_millis(time), Box::new(reply))
                }
                Scenario::Slow(time) => {
                    Reply::Delayed(Duration::from_millis(time), Box::new(reply))
                }
                _ => reply,
            }
        });
        Self {
            engine,
            host,
            file_host,
            clock,
            state,
            scenario,
        }
    }

    /// Adds a job that no request submitted, and that is done.
    pub fn add_done_job(&self) {
        self.state().start_job(0, 1.0, self.clock.now() - 60.0);
    }

    /// Changes the scenario of the requests that follow.
    pub fn set_scenario(&self, scenario: Scenario) {
        *self.scenario.lock().unwrap() = scenario;
    }

    /// Returns the number of models that were billed.
    pub fn billed_models(&self) -> usize {
        self.billed_images().len()
    }

    /// Returns the image number of each billed model.
    pub fn billed_images(&self) -> Vec<u32> {
        let state = self.state();
        let billed = state.jobs.iter().filter(|job| !job.is_free);
        billed.map(|job| job.image).collect()
    }

    /// Returns the jobs that were started.
    pub fn jobs(&self) -> Vec<Job> {
        self.state().jobs.clone()
    }

    /// Returns the sum of what was billed, in the service's own unit.
    pub fn bill(&self) -> f64 {
        let state = self.state();
        let billed = state.jobs.iter().filter(|job| !job.is_free);
        billed.map(|job| job.price).sum()
    }

    /// Returns the headers of the requests for a model, keyed by lower-case name.
    pub fn headers(&self) -> Vec<HashMap<String, String>> {
        self.state().headers.clone()
    }

    /// Returns the number of requests for a model, whether or not they started a job.
    pub fn submits(&self) -> usize {
        self.state().submits
    }

    /// Returns the bodies of the requests for a model.
    pub fn bodies(&self) -> Vec<Value> {
        self.state().bodies.clone()
    }

    /// Returns the number of requests for files.
    pub fn downloads(&self) -> usize {
        self.state().downloads
    }

    /// Returns the number of requests to cancel a job.
    pub fn cancels(&self) -> usize {
        self.state().cancels
    }

    /// Returns the number of requests that were reset because the engine was unreachable.
    pub fn resets(&self) -> usize {
        self.state().resets
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Returns a configuration with this engine as the default; `extra` is added to its table.
    pub fn config(&self, extra: &str) -> String {
        let name = self.engine.name();
        // Long enough for a busy machine, except where the scenario is about the limit.
        let (timeout, deadline) = match *self.scenario.lock().unwrap() {
            Scenario::SubmitTimesOut | Scenario::SubmitLost => (1, 60),
            Scenario::NeverFinishes | Scenario::NeverStarts(_) => (20, 2),
            Scenario::UnknownStatus => (20, 6),
            Scenario::Unreachable | Scenario::Silent => (1, 2),
            _ => (20, 60),
        };
        let own = match self.engine {
            Engine::ComfyUi => format!("workflow = {:?}", workflow_file()),
            _ => format!("result_hosts = [\"{}\"]", self.file_host),
        };
        let table = format!(
            "url = \"http://{}\"\n{own}\npoll = 0.02\ntimeout = {timeout}\ndeadline = {deadline}\n",
            self.host
        );
        // A key of `extra` replaces that of the table.
        let is_replaced = |line: &&str| {
            let key = line.split_once(" = ").map_or("", |(key, _)| key);
            extra
                .lines()
                .any(|line| line.starts_with(&format!("{key} = ")))
        };
        let table: Vec<_> = table.lines().filter(|line| !is_replaced(line)).collect();
        format!(
            "default = \"{name}\"\n[engines.{name}]\n{}\n{extra}\n",
            table.join("\n")
        )
    }
}

/// Returns whether a request orders a model, and does not only upload its image.
fn is_submit(request: &Request) -> bool {
    let others = ["/v3/files", "/upload/image", "/queue", "/interrupt"];
    request.method == "POST" && !others.contains(&request.path.as_str())
}

/// Returns the path of a workflow for ComfyUI.
pub fn workflow_file() -> &'static str {
    concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/server/emulators/hosted/workflow.json"
    )
}
