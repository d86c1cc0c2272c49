//! The work behind the sessions: what is due, who has it, and what becomes of it.
//!
//! What is due follows from the stored sessions alone. Who has which piece of it is not stored, so
//! that what was under way when a process ended is due again in the next one.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use image::DynamicImage;

use crate::engine::{Detail, Engine, Progress, Source, Stopped};
use crate::files::{IMAGE, spin_file};
use crate::record::{Piece, Record, Stage};
use crate::sessions::{File, Files, Sessions};
use crate::store::StoreError;
use crate::{Millis, Sandbox, lock, picture};

/// A piece of work that was handed out: one stage's result. Where it is dropped without having been
/// worked, it is due again.
pub struct Job {
    claim: Claim,
    remote: Option<String>,
}

impl Job {
    /// The address of the picture, where it lies elsewhere and was not fetched yet: whoever works
    /// the job fetches it first.
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }
}

/// The pieces that are handed out, and how much of each is done, from 0 to 1.
#[derive(Default)]
pub struct Desk {
    claimed: Arc<Mutex<HashMap<Piece, f32>>>,
    /// Nothing is handed out any more, and what is under way is not wanted.
    closed: AtomicBool,
}

/// A piece that is handed out for as long as this value lives.
struct Claim {
    piece: Piece,
    claimed: Arc<Mutex<HashMap<Piece, f32>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.claimed).remove(&self.piece);
    }
}

impl Desk {
    fn claimed(&self) -> MutexGuard<'_, HashMap<Piece, f32>> {
        lock(&self.claimed)
    }

    /// How much is done of what the session needs next.
    pub fn progress(&self, record: &Record) -> f32 {
        let piece = record.next_piece();
        let progress = piece.and_then(|piece| self.claimed().get(&piece).copied());
        progress.unwrap_or_default()
    }

    fn report(&self, piece: &Piece, part: f32) {
        if let Some(progress) = self.claimed().get_mut(piece) {
            *progress = progress.max(part);
        }
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    pub fn next(&self, sessions: &Sessions, now: Millis) -> Option<Job> {
        if !self.is_open() {
            return None;
        }
        // Held while the sessions are read: a piece that is given back meanwhile was stored before.
        let mut claimed = self.claimed();
        let (piece, remote) = sessions.with_open(|records| {
            let mut due = records.filter_map(|record| {
                let piece = record.next_piece()?;
                let due = piece.from <= now && !claimed.contains_key(&piece);
                due.then(|| (piece, record.to_fetch().map(str::to_owned)))
            });
            due.next()
        })?;
        claimed.insert(piece.clone(), 0.0);
        let claimed = self.claimed.clone();
        let claim = Claim { piece, claimed };
        Some(Job { claim, remote })
    }

    pub fn next_due(&self, sessions: &Sessions) -> Option<Millis> {
        if !self.is_open() {
            return None;
        }
        let claimed = self.claimed();
        sessions.with_open(|records| {
            let waiting = records
                .filter_map(Record::next_piece)
                .filter(|piece| !claimed.contains_key(piece));
            waiting.map(|piece| piece.from).min()
        })
    }
}

/// Works a job to its end and stores what came of it.
pub fn work(
    sandbox: &Sandbox,
    job: Job,
    fetched: Option<Result<Vec<u8>, String>>,
    engine: &dyn Engine,
) -> Result<(), StoreError> {
    let piece = &job.claim.piece;
    let (files, failure) = match survived(|| made(sandbox, &job, fetched, engine)) {
        Ok(files) => (files, None),
        Err(Ended::Stopped(Stopped::Because(reason))) => (Vec::new(), Some(reason)),
        Err(Ended::Stopped(Stopped::Cancelled)) => return Ok(()),
        Err(Ended::Store(error)) => return Err(error),
    };
    let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    store(sandbox, piece, files, |record| match failure {
        None => record.made(piece.stage, bytes),
        Some(reason) => record.fail(piece.stage, reason),
    })
}

/// Why a job ends without a result.
enum Ended {
    Stopped(Stopped),
    Store(StoreError),
}

impl From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl From<String> for Ended {
    fn from(reason: String) -> Self {
        Self::Stopped(Stopped::Because(reason))
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What the work comes to. A panic in it, over a picture that nobody thought of, is its end too and
/// nobody else's.
fn survived<T>(work: impl FnOnce() -> Result<T, Ended>) -> Result<T, Ended> {
    // All that the work could have left half done is dropped with it.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    outcome.unwrap_or_else(|_| {
        let reason = "the engine broke down over this picture, which is a fault of the engine";
        Err(reason.to_owned().into())
    })
}

/// The files of the result.
fn made(
    sandbox: &Sandbox,
    job: &Job,
    fetched: Option<Result<Vec<u8>, String>>,
    engine: &dyn Engine,
) -> Result<Vec<File>, Ended> {
    let piece = &job.claim.piece;
    let Some(record) = sandbox.sessions.get(&piece.code) else {
        return Err(Stopped::Cancelled.into());
    };
    let (file, picture) = opened(sandbox, job, fetched)?;
    let source = Source {
        code: &piece.code,
        file: &file,
        picture: &picture,
        parameters: &record.parameters,
    };
    let progress: &mut Progress = &mut |part| {
        sandbox.desk.report(piece, part);
        if sandbox.desk.is_open() && sandbox.sessions.wants(piece) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let detail = match piece.stage {
        Stage::Spin => {
            let views = engine.views(source, progress)?.into_iter().enumerate();
            return Ok(views.map(|(at, png)| (spin_file(at), png)).collect());
        }
        Stage::Preview => Detail::Preview,
        Stage::Refine => Detail::Refined,
    };
    let glb = engine.model(source, detail, record.chosen_spin, progress)?;
    let name = piece.stage.file();
    Ok(name.map(|name| (name, glb)).into_iter().collect())
}

/// The picture's file, and the picture. One that was fetched is stored first, so that it is fetched
/// once.
fn opened(
    sandbox: &Sandbox,
    job: &Job,
    fetched: Option<Result<Vec<u8>, String>>,
) -> Result<(Vec<u8>, DynamicImage), Ended> {
    let because = |reason| format!("image_url: {reason}");
    if job.remote.is_none() {
        let file = sandbox.sessions.file(&job.claim.piece.code, IMAGE)?;
        let file = file.ok_or_else(|| because("the picture is gone".into()))?;
        let picture = picture::open(&file).map_err(because)?;
        return Ok((file, picture));
    }
    let file = fetched.unwrap_or_else(|| Err("nobody fetched it".into()));
    let file = file.map_err(|reason| because(format!("the picture cannot be had: {reason}")))?;
    let picture = picture::open(&file).map_err(because)?;
    let files = vec![(IMAGE.to_owned(), file.clone())];
    store(sandbox, &job.claim.piece, files, |record| {
        record.picture_bytes = file.len() as u64;
    })?;
    Ok((file, picture))
}

/// Stores what came of a piece of work, where it is still wanted.
fn store(
    sandbox: &Sandbox,
    piece: &Piece,
    files: Vec<File>,
    change: impl FnOnce(&mut Record),
) -> Result<(), StoreError> {
    let changes = Files {
        put: files,
        remove: Vec::new(),
    };
    sandbox.sessions.change(&piece.code, changes, |record| {
        if record.next_piece().as_ref() != Some(piece) {
            return Err(());
        }
        change(record);
        Ok(())
    })?;
    Ok(())
}
