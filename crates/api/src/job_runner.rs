//! Runs jobs and stores their results.

use std::ops::ControlFlow;

use image::DynamicImage;

use crate::decode::{Decoder, Patience};
use crate::engine::{Checkpoint, Detail, Engine, Model, ModelError, Progress, Source, VIEW_COUNT};
use crate::files::{IMAGE, can_convert, model_file, spin_file};
use crate::job_queue::{Job, JobQueue, Outcome};
use crate::panics::{Panicked, catch_panic};
use crate::record::{JobId, Record, StageResult};
use crate::sessions::{File, FileChanges, Sessions, UpdateError};
use crate::stage::Stage;
use crate::store::StoreError;

/// The downloaded image file of a job, or the reason why the download failed.
pub type Download = Result<Vec<u8>, String>;

/// Runs the jobs of a queue.
#[derive(Clone, Copy)]
pub struct JobRunner<'a> {
    pub sessions: &'a Sessions,
    pub queue: &'a JobQueue,
    pub decoder: &'a Decoder,
}

/// The files of a completed job, and the result to record.
struct Output {
    files: Vec<File>,
    result: StageResult,
}

impl Output {
    fn of_views(views: [Vec<u8>; VIEW_COUNT]) -> Self {
        let files = views.into_iter().enumerate();
        let files: Vec<_> = files.map(|(view, png)| (spin_file(view), png)).collect();
        Self {
            result: StageResult {
                bytes: files.iter().map(|(_, png)| png.len() as u64).sum(),
                unsupported: Vec::new(),
                is_glb_only: false,
            },
            files,
        }
    }

    fn of_model(stage: Stage, model: Model) -> Self {
        Self {
            result: StageResult {
                bytes: model.glb.len() as u64,
                unsupported: model.unsupported,
                is_glb_only: !can_convert(&model.glb),
            },
            files: model_file(stage)
                .map(|name| (name, model.glb))
                .into_iter()
                .collect(),
        }
    }
}

/// Why a job has no result.
enum JobError {
    Model(ModelError),
    Store(StoreError),
}

impl From<ModelError> for JobError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<String> for JobError {
    fn from(reason: String) -> Self {
        Self::Model(ModelError::Failed(reason))
    }
}

impl From<Panicked> for JobError {
    fn from(_: Panicked) -> Self {
        let reason = "The engine crashed on this image; this is a bug in the engine";
        reason.to_owned().into()
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why a change of a job's session is not stored.
enum SaveError {
    /// The job is not the next one of its session any more.
    Obsolete,
    Store(StoreError),
}

impl JobRunner<'_> {
    /// Runs a job to its end and stores its result. A cancelled job stores nothing.
    ///
    /// # Errors
    /// Fails if the store fails. The job is due again then.
    pub fn run(
        self,
        job: Job,
        download: Option<Download>,
        engine: &dyn Engine,
    ) -> Result<(), StoreError> {
        // A panic ends only this session.
        let created = catch_panic(|| self.create(&job, download, engine));
        let (files, outcome) = match created.unwrap_or_else(|panicked| Err(panicked.into())) {
            Ok(Output { files, result }) => (files, Ok(result)),
            Err(JobError::Model(ModelError::Failed(reason))) => (Vec::new(), Err(reason)),
            Err(JobError::Model(ModelError::Cancelled)) => return Ok(()),
            Err(JobError::Store(error)) => return Err(error),
        };
        let stage = job.id().stage;
        let saved = self.save(job.id(), files, |record| match outcome {
            Ok(result) => {
                record.complete_stage(stage, result);
                // A session whose spins are done waits for its caller to select one.
                let is_over = stage != Stage::Spin && record.next_job().is_none();
                is_over.then_some(Outcome::Done)
            }
            Err(reason) => {
                record.fail_stage(stage, reason);
                Some(Outcome::Failed)
            }
        });
        match saved {
            Ok(Some(outcome)) => self.queue.count_outcome(job.engine(), outcome),
            Ok(None) | Err(SaveError::Obsolete) => {}
            Err(SaveError::Store(error)) => return Err(error),
        }
        Ok(())
    }

    fn create(
        self,
        job: &Job,
        download: Option<Download>,
        engine: &dyn Engine,
    ) -> Result<Output, JobError> {
        let id = job.id();
        let Some(record) = self.sessions.get(&id.code) else {
            return Err(ModelError::Cancelled.into());
        };
        let (file, image) = self.open_image(job, download)?;
        let preview = match (id.stage, model_file(Stage::Preview)) {
            (Stage::Refine, Some(name)) => self.sessions.file(&id.code, &name)?,
            _ => None,
        };
        let source = Source {
            code: &id.code,
            file: &file,
            image: &image,
            parameters: &record.parameters,
            preview: preview.as_deref(),
            checkpoint: &StoredCheckpoint {
                runner: self,
                job: id,
                engine: job.engine(),
            },
        };
        let progress: &mut Progress = &mut |fraction| {
            self.queue.set_progress(id, fraction);
            if self.queue.is_open() && self.sessions.is_next_job(id) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let detail = match id.stage {
            Stage::Spin => {
                return Ok(Output::of_views(engine.views(source, progress)?));
            }
            Stage::Preview => Detail::Preview,
            Stage::Refine => Detail::Refined,
        };
        let model = engine.model(source, detail, record.selected_spin, progress)?;
        Ok(Output::of_model(id.stage, model))
    }

    /// Returns the image file and the decoded image. Stores a downloaded file first, so that it is
    /// downloaded once.
    fn open_image(
        self,
        job: &Job,
        download: Option<Download>,
    ) -> Result<(Vec<u8>, DynamicImage), JobError> {
        let failed = |reason: &dyn std::fmt::Display| format!("image_url: {reason}");
        let decode = |file: &[u8]| {
            let image = self.decoder.decode(file, Patience::Job);
            image.map_err(|error| failed(&error))
        };
        if job.image_url().is_none() {
            let file = self.sessions.file(&job.id().code, IMAGE)?;
            let file = file.ok_or_else(|| failed(&"the stored image is missing"))?;
            let image = decode(&file)?;
            return Ok((file, image));
        }
        let file = download
            .ok_or_else(|| failed(&"the image was not downloaded"))?
            .map_err(|reason| failed(&format!("download failed: {reason}")))?;
        let image = decode(&file)?;
        let files = vec![(IMAGE.to_owned(), file.clone())];
        let saved = self.save(job.id(), files, |record| {
            record.image_bytes = file.len() as u64;
        });
        match saved {
            // An obsolete job ends at the engine's first report of its progress.
            Ok(()) | Err(SaveError::Obsolete) => Ok((file, image)),
            Err(SaveError::Store(error)) => Err(error.into()),
        }
    }

    /// Stores files and a change of the session while the job is the next one of its session.
    fn save<T>(
        self,
        job: &JobId,
        files: Vec<File>,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<T, SaveError> {
        let files = FileChanges {
            put: files,
            remove: Vec::new(),
        };
        let saved = self.sessions.update(&job.code, files, |record, _| {
            let is_next = record.next_job().as_ref() == Some(job);
            is_next.then(|| change(record)).ok_or(())
        });
        saved.map_err(|error| match error {
            UpdateError::NotFound | UpdateError::Rejected(()) => SaveError::Obsolete,
            UpdateError::Store(error) => SaveError::Store(error),
        })
    }
}

/// The checkpoint of a job, stored in its session's record.
struct StoredCheckpoint<'a> {
    runner: JobRunner<'a>,
    job: &'a JobId,
    engine: &'a str,
}

impl Checkpoint for StoredCheckpoint<'_> {
    fn load(&self) -> Option<String> {
        let record = self.runner.sessions.get(&self.job.code)?;
        record.engine_note(self.job).map(str::to_owned)
    }

    fn load_others(&self) -> Vec<String> {
        let sessions = self.runner.sessions;
        sessions.engine_notes_except(self.engine, &self.job.code)
    }

    fn save(&self, text: &str) -> Result<(), ModelError> {
        let saved = self.runner.save(self.job, Vec::new(), |record| {
            record.set_engine_note(self.job, text.to_owned());
        });
        saved.map_err(|error| match error {
            SaveError::Obsolete => ModelError::Cancelled,
            SaveError::Store(error) => {
                ModelError::Failed(format!("The session cannot be stored: {error}"))
            }
        })
    }

    fn set_status(&self, status: &str) {
        self.runner.queue.set_status(self.job, status);
    }
}
