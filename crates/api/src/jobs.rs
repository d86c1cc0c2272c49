//! The work behind the sessions: what is due, who has it, and what becomes of it.
//!
//! What is due follows from the stored sessions alone. Who has which piece of it is not stored, so
//! that what was under way when a process ended is due again in the next one.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use image::DynamicImage;

use crate::engine::{Checkpoint, Detail, Engine, ModelError, Progress, Source};
use crate::files::{IMAGE, can_convert, spin_file};
use crate::metrics::Metrics;
use crate::record::{Piece, Record, Stage};
use crate::sessions::{File, Files, Sessions};
use crate::store::StoreError;
use crate::{Api, Millis, lock, picture};

/// A piece of work that was handed out: one stage's result. Where it is dropped without having been
/// worked, it is due again.
pub struct Job {
    claim: Claim,
    engine: String,
    remote: Option<String>,
}

impl Job {
    /// The name of the engine that is to work it.
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// The address of the picture, where it lies elsewhere and was not fetched yet: whoever works
    /// the job fetches it first.
    pub fn image_url(&self) -> Option<&str> {
        self.remote.as_deref()
    }
}

/// The pieces that are handed out, and how far each is.
#[derive(Default)]
pub struct Desk {
    claimed: Arc<Mutex<HashMap<Piece, Progressed>>>,
    /// Nothing is handed out any more, and what is under way is not wanted.
    closed: AtomicBool,
    /// By the names of the engines, how many sessions ended well, and badly.
    ended: Mutex<BTreeMap<String, (u64, u64)>>,
}

/// How far a piece of work is.
#[derive(Clone, Default)]
pub struct Progressed {
    /// How much of it is done, from 0 to 1.
    pub part: f32,
    /// What its engine waits for, in words, where it said so.
    pub words: Option<String>,
}

/// A piece that is handed out for as long as this value lives.
struct Claim {
    piece: Piece,
    claimed: Arc<Mutex<HashMap<Piece, Progressed>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.claimed).remove(&self.piece);
    }
}

impl Desk {
    fn claimed(&self) -> MutexGuard<'_, HashMap<Piece, Progressed>> {
        lock(&self.claimed)
    }

    /// How far that is which the session needs next.
    pub fn progress(&self, record: &Record) -> Progressed {
        let piece = record.next_piece();
        let progress = piece.and_then(|piece| self.claimed().get(&piece).cloned());
        progress.unwrap_or_default()
    }

    fn report(&self, piece: &Piece, part: f32) {
        if let Some(progress) = self.claimed().get_mut(piece) {
            progress.part = progress.part.max(part);
        }
    }

    fn say(&self, piece: &Piece, words: &str) {
        if let Some(progress) = self.claimed().get_mut(piece) {
            progress.words = Some(words.to_owned());
        }
    }

    fn count_end(&self, engine: &str, well: bool) {
        let mut ended = lock(&self.ended);
        let (done, failed) = ended.entry(engine.to_owned()).or_default();
        *if well { done } else { failed } += 1;
    }

    /// Adds what each engine has to do, and did.
    pub fn add_to(&self, metrics: &mut Metrics, sessions: &Sessions) {
        for (name, (done, failed)) in lock(&self.ended).iter() {
            let engine = metrics.engines.entry(name.clone()).or_default();
            (engine.done, engine.failed) = (*done, *failed);
        }
        let claimed = self.claimed();
        sessions.with_open(|records| {
            for record in records {
                let engine = metrics.engines.entry(record.engine.clone()).or_default();
                let piece = record.next_piece();
                match piece.is_some_and(|piece| claimed.contains_key(&piece)) {
                    true => engine.running += 1,
                    false => engine.waiting += 1,
                }
            }
        });
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    /// The next piece for an engine whose name is wanted: the first that its engine wrote something
    /// down for, or else the oldest session's.
    pub fn next(
        &self,
        sessions: &Sessions,
        wanted: &dyn Fn(&str) -> bool,
        now: Millis,
    ) -> Option<Job> {
        if !self.is_open() {
            return None;
        }
        // Held while the sessions are read: a piece that is given back meanwhile was stored before.
        let mut claimed = self.claimed();
        let (piece, remote, engine) = sessions.with_open(|records| {
            let due = records.filter_map(|record| {
                let piece = record.next_piece()?;
                let due = piece.from <= now && !claimed.contains_key(&piece);
                let due = due && wanted(&record.engine);
                due.then_some((piece, record))
            });
            // Its engine may be at work for it already, and have no room for another.
            let (piece, record) = due.min_by_key(|(piece, record)| record.note(piece).is_none())?;
            let remote = record.to_fetch().map(str::to_owned);
            Some((piece, remote, record.engine.clone()))
        })?;
        claimed.insert(piece.clone(), Progressed::default());
        let claimed = self.claimed.clone();
        let claim = Claim { piece, claimed };
        Some(Job {
            claim,
            engine,
            remote,
        })
    }

    pub fn next_due(&self, sessions: &Sessions, wanted: &dyn Fn(&str) -> bool) -> Option<Millis> {
        if !self.is_open() {
            return None;
        }
        let claimed = self.claimed();
        sessions.with_open(|records| {
            let waiting = records
                .filter(|record| wanted(&record.engine))
                .filter_map(Record::next_piece)
                .filter(|piece| !claimed.contains_key(piece));
            waiting.map(|piece| piece.from).min()
        })
    }
}

/// Works a job to its end and stores what came of it.
pub fn work(
    sandbox: &Api,
    job: Job,
    fetched: Option<Result<Vec<u8>, String>>,
    engine: &dyn Engine,
) -> Result<(), StoreError> {
    let piece = &job.claim.piece;
    let (made, failure) = match survived(|| made(sandbox, &job, fetched, engine)) {
        Ok(made) => (made, None),
        Err(Ended::Model(ModelError::Failed(reason))) => (Made::default(), Some(reason)),
        Err(Ended::Model(ModelError::Cancelled)) => return Ok(()),
        Err(Ended::Store(error)) => return Err(error),
    };
    let Made {
        files,
        unsupported,
        is_glb_alone,
    } = made;
    let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let mut ended = None;
    store(sandbox, piece, files, |record| match failure {
        None => {
            record.made(piece.stage, bytes, unsupported, is_glb_alone);
            // After the views somebody has to choose one.
            let is_over = piece.stage != Stage::Spin && record.next_piece().is_none();
            ended = is_over.then_some(true);
        }
        Some(reason) => {
            record.fail(piece.stage, reason);
            ended = Some(false);
        }
    })?;
    if let Some(well) = ended {
        sandbox.desk.count_end(&job.engine, well);
    }
    Ok(())
}

/// What came of a piece of work.
#[derive(Default)]
struct Made {
    files: Vec<File>,
    unsupported: Vec<String>,
    /// Whether it is a model that no other format can be written from.
    is_glb_alone: bool,
}

/// What an engine leaves with a piece of work.
struct Left<'a> {
    sandbox: &'a Api,
    piece: &'a Piece,
    engine: &'a str,
}

impl Checkpoint for Left<'_> {
    fn load(&self) -> Option<String> {
        let record = self.sandbox.sessions.get(&self.piece.code)?;
        record.note(self.piece).map(str::to_owned)
    }

    fn load_others(&self) -> Vec<String> {
        self.sandbox.sessions.notes(self.engine, &self.piece.code)
    }

    fn save(&self, note: &str) -> Result<(), ModelError> {
        let mut wanted = false;
        let written = store(self.sandbox, self.piece, Vec::new(), |record| {
            record.write(self.piece, note.to_owned());
            wanted = true;
        });
        match written {
            Err(error) => Err(ModelError::Failed(format!(
                "the session cannot be stored: {error}"
            ))),
            Ok(()) if wanted => Ok(()),
            Ok(()) => Err(ModelError::Cancelled),
        }
    }

    fn set_status(&self, words: &str) {
        self.sandbox.desk.say(self.piece, words);
    }
}

/// Why a job ends without a result.
enum Ended {
    Model(ModelError),
    Store(StoreError),
}

impl From<ModelError> for Ended {
    fn from(stopped: ModelError) -> Self {
        Self::Model(stopped)
    }
}

impl From<String> for Ended {
    fn from(reason: String) -> Self {
        Self::Model(ModelError::Failed(reason))
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

/// The result.
fn made(
    sandbox: &Api,
    job: &Job,
    fetched: Option<Result<Vec<u8>, String>>,
    engine: &dyn Engine,
) -> Result<Made, Ended> {
    let piece = &job.claim.piece;
    let Some(record) = sandbox.sessions.get(&piece.code) else {
        return Err(ModelError::Cancelled.into());
    };
    let (file, picture) = opened(sandbox, job, fetched)?;
    let preview = match piece.stage {
        Stage::Refine => stored_model(sandbox, piece, Stage::Preview)?,
        Stage::Spin | Stage::Preview => None,
    };
    let source = Source {
        code: &piece.code,
        file: &file,
        picture: &picture,
        parameters: &record.parameters,
        preview: preview.as_deref(),
        checkpoint: &Left {
            sandbox,
            piece,
            engine: &job.engine,
        },
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
            return Ok(Made {
                files: views.map(|(at, png)| (spin_file(at), png)).collect(),
                ..Made::default()
            });
        }
        Stage::Preview => Detail::Preview,
        Stage::Refine => Detail::Refined,
    };
    let model = engine.model(source, detail, record.chosen_spin, progress)?;
    let name = piece.stage.file();
    Ok(Made {
        is_glb_alone: !can_convert(&model.glb),
        files: name.map(|name| (name, model.glb)).into_iter().collect(),
        unsupported: model.unsupported,
    })
}

/// The model that was made for a stage of the same session.
fn stored_model(sandbox: &Api, piece: &Piece, stage: Stage) -> Result<Option<Vec<u8>>, StoreError> {
    match stage.file() {
        Some(name) => sandbox.sessions.file(&piece.code, &name),
        None => Ok(None),
    }
}

/// The picture's file, and the picture. One that was fetched is stored first, so that it is fetched
/// once.
fn opened(
    sandbox: &Api,
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
    sandbox: &Api,
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::{Config, MemoryStore, Request};

    /// Begins the stage anew in the middle of the work for it.
    struct Interrupted<'a>(&'a Api);

    impl Engine for Interrupted<'_> {
        fn model(
            &self,
            source: Source,
            _: Detail,
            _: usize,
            progress: &mut Progress,
        ) -> Result<crate::Model, ModelError> {
            let before = progress(0.1);
            let anew = |record: &mut Record| {
                record.begin(Stage::Preview, 7, self.0.pace);
                Ok::<_, Infallible>(())
            };
            let changed = self.0.sessions.change(source.code, Files::default(), anew);
            let after = progress(0.2);
            // It does not care, and answers what it saw.
            let words = format!("{} {before:?} {after:?}", changed.is_ok());
            Ok(words.into_bytes().into())
        }

        fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; 4], ModelError> {
            Err(ModelError::Cancelled)
        }
    }

    #[test]
    fn what_was_made_for_a_stage_that_was_begun_anew_is_thrown_away() {
        let sandbox = Api::open(&Config::default(), Box::new(MemoryStore::default()), 0).unwrap();
        let mut create = Request::new(
            br#"{"image_url":"https://example.com/","generate_preview_mesh":true}"#.to_vec(),
        );
        *create.method_mut() = http::Method::POST;
        *create.uri_mut() = contract::SESSIONS_PATH.parse().unwrap();
        assert_eq!(sandbox.handle(&create, 0).status(), 201);

        let png = include_bytes!("../../../www/samples/chelsea.png").to_vec();
        let job = sandbox.next_job(0).unwrap();
        let code = job.claim.piece.code.clone();
        sandbox
            .run_job(job, Some(Ok(png)), &Interrupted(&sandbox))
            .unwrap();
        assert_eq!(sandbox.sessions.file(&code, "preview.glb").unwrap(), None);
        // The new one is still to be made.
        assert!(sandbox.next_job(6).is_none());
        assert_eq!(sandbox.next_job(7).unwrap().claim.piece.from, 7);
    }
}
