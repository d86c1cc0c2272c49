//! The threads that work the sessions' jobs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use api::{Api, Detail, Engine, Job, Model, ModelError, Progress, Source, VIEW_COUNT};

use crate::engines::Offered;
use crate::fetch::Fetcher;
use crate::http::now;

/// How long nothing is tried after the store has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// From one look at the requests under way to the next when the server ends.
const STEP: Duration = Duration::from_millis(50);

/// What the threads share.
pub struct Workshop {
    pub sandbox: Arc<Api>,
    pub engines: Vec<Offered>,
    pub fetcher: Fetcher,
}

/// The threads, and how they are called.
pub struct Workers {
    workshop: Arc<Workshop>,
    bell: Arc<Bell>,
}

impl Workers {
    /// Starts the threads of each engine, so that none waits for another; they look for work at
    /// once.
    pub fn start(workshop: Workshop) -> std::io::Result<Self> {
        let workshop = Arc::new(workshop);
        let bell = Arc::new(Bell::default());
        for (index, engine) in workshop.engines.iter().enumerate() {
            for number in 0..engine.at_once {
                let (workshop, present) = (workshop.clone(), Present::new(&bell));
                thread::Builder::new()
                    .name(format!("{} {number}", engine.name))
                    .spawn(move || run(&workshop, index, &present.0))?;
            }
        }
        Ok(Self { workshop, bell })
    }

    /// There may be new work.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Cancels what is under way, and waits until it has ended, but no longer than this. Only the
    /// answer to a request for a model is waited for as long as the engine may take: it may have
    /// cost money.
    pub fn end(&self, patience: Duration) {
        self.workshop.sandbox.close();
        let mut ended = self.bell.last(patience);
        if !ended && self.are_asking() {
            eprintln!("an engine was asked for a model; its answer is waited for");
        }
        while !ended && self.are_asking() {
            ended = self.bell.last(STEP);
        }
        if !ended {
            eprintln!("work that does not end is left; it is due again at the next start");
        }
    }

    fn are_asking(&self) -> bool {
        let mut requests = self
            .workshop
            .engines
            .iter()
            .filter_map(|engine| engine.requests.as_ref());
        requests.any(|requests| requests.are_under_way())
    }
}

/// Works for one of the engines. The first one also ends the sessions whose engine is not there any
/// more.
fn run(workshop: &Workshop, index: usize, bell: &Bell) {
    let engines = &workshop.engines;
    let own = |name: &str| engines[index].name == name;
    let orphaned = |name: &str| index == 0 && engines.iter().all(|engine| engine.name != name);
    let wanted: &dyn Fn(&str) -> bool = &|name| own(name) || orphaned(name);
    let sandbox = &workshop.sandbox;
    while let Some(rung) = bell.rung() {
        let Some(job) = sandbox.next_job_for(wanted, now()) else {
            let due = sandbox.next_due_for(wanted, now());
            bell.wait(
                rung,
                due.map(|due| Duration::from_millis(due.saturating_sub(now()))),
            );
            continue;
        };
        // There may be more of it, for others.
        bell.ring();
        let engine: &dyn Engine = match own(job.engine()) {
            true => &*engines[index].engine,
            false => &Gone,
        };
        if let Err(error) = work(workshop, job, engine) {
            eprintln!("a result cannot be stored, or its picture read: {error}");
            bell.pause(PAUSE);
        }
    }
}

/// An engine that was configured when its sessions were created.
struct Gone;

impl Gone {
    fn words() -> ModelError {
        ModelError::Failed(
            "its engine is not configured any more; if it costs money, this may have been charged"
                .into(),
        )
    }
}

impl Engine for Gone {
    fn model(&self, _: Source, _: Detail, _: usize, _: &mut Progress) -> Result<Model, ModelError> {
        Err(Self::words())
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Err(Self::words())
    }
}

fn work(workshop: &Workshop, job: Job, engine: &dyn Engine) -> Result<(), api::StoreError> {
    let fetched = job.image_url().map(|address| {
        let fetch = AssertUnwindSafe(|| workshop.fetcher.fetch(address));
        catch_unwind(fetch).unwrap_or_else(|_| Err("its server's answer broke the fetcher".into()))
    });
    workshop.sandbox.run_job(job, fetched, engine)
}

/// Wakes the threads when there may be work, and tells them the end.
#[derive(Default)]
struct Bell {
    state: Mutex<State>,
    rings: Condvar,
}

#[derive(Default)]
struct State {
    /// How often it was rung.
    times: u64,
    ended: bool,
    /// How many threads there are.
    present: usize,
}

/// A thread that is there for as long as this value is.
struct Present(Arc<Bell>);

impl Present {
    fn new(bell: &Arc<Bell>) -> Self {
        bell.state().present += 1;
        Self(bell.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.state().present -= 1;
        self.0.rings.notify_all();
    }
}

impl Bell {
    fn ring(&self) {
        self.state().times += 1;
        self.rings.notify_all();
    }

    /// Sends all threads home. Whether they were gone before the time was over.
    fn last(&self, patience: Duration) -> bool {
        let mut state = self.state();
        state.ended = true;
        self.rings.notify_all();
        let there = |state: &mut State| state.present > 0;
        let waited = self.rings.wait_timeout_while(state, patience, there);
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    /// How often it was rung; `None` at the end.
    fn rung(&self) -> Option<u64> {
        let state = self.state();
        (!state.ended).then_some(state.times)
    }

    /// Waits until it is rung once more than that, or for as long as this.
    fn wait(&self, rung: u64, most: Option<Duration>) {
        self.wait_while(most, |state| state.times == rung);
    }

    /// Waits for as long as this, however often it is rung.
    fn pause(&self, time: Duration) {
        self.wait_while(Some(time), |_| true);
    }

    fn wait_while(&self, most: Option<Duration>, mut condition: impl FnMut(&State) -> bool) {
        let state = self.state();
        let silent = |state: &mut State| !state.ended && condition(state);
        let _state = match most {
            Some(most) => {
                let waited = self.rings.wait_timeout_while(state, most, silent);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.rings.wait_while(state, silent);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
