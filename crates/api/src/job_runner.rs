//! Runs jobs and stores their results.

use std::cell::RefCell;
use std::ops::ControlFlow;

use contract::SessionCost;
use image::{DynamicImage, RgbImage};
use sculpt::Segmenter;

use crate::engine::{
    Checkpoint, CheckpointError, Engine, Model, ModelError, Progress, SCULPT, Source, VIEW_COUNT,
};
use crate::files::{IMAGE, can_convert, model_file, service_file, spin_file};
use crate::job_queue::{Job, JobQueue, Outcome};
use crate::record::{JobId, Record, StageResult};
use crate::sessions::{Change, Sessions, UpdateError};
use crate::stage::Stage;
use crate::store::{File, FileChanges, StoreError};
use crate::stored_image::{NewCutout, StoredImage, image_failed};
use decode::{Decoder, Patience};
use decode::{Panicked, catch_panic};

/// The downloaded image file of a job, or the reason why the download failed.
pub type Download = Result<Vec<u8>, String>;

/// Runs the jobs of a queue.
#[derive(Clone, Copy)]
pub struct JobRunner<'a> {
    pub sessions: &'a Sessions,
    pub queue: &'a JobQueue,
    pub decoder: &'a Decoder,
    pub segmenter: Option<&'a dyn Segmenter>,
}

/// The files of a completed job, and the result to record.
struct Output {
    files: Vec<File>,
    result: StageResult,
    /// The cutout, if this stage has made it and it is not stored yet.
    cutout: Option<NewCutout>,
}

impl Output {
    fn of_views(views: [Vec<u8>; VIEW_COUNT]) -> Self {
        let files = views.into_iter().enumerate();
        let files: Vec<_> = files.map(|(view, png)| (spin_file(view), png)).collect();
        Self {
            result: StageResult {
                bytes: files.iter().map(|(_, png)| png.len() as u64).sum(),
                unsupported: Vec::new(),
                service_formats: Vec::new(),
                is_glb_only: false,
            },
            files,
            cutout: None,
        }
    }

    fn of_model(stage: Stage, model: Model) -> Self {
        let service_files = match stage {
            Stage::Preview => model.service_files,
            // They would be those of the preview.
            Stage::Spin | Stage::Refine => Vec::new(),
        };
        let service_formats = service_files.iter().map(|file| file.format).collect();
        let is_glb_only = !can_convert(&model.glb);
        let glb = model_file(stage).map(|name| (name, model.glb));
        let others = service_files
            .into_iter()
            .map(|file| (service_file(file.format), file.bytes));
        let files: Vec<_> = glb.into_iter().chain(others).collect();
        Self {
            result: StageResult {
                bytes: files.iter().map(|(_, file)| file.len() as u64).sum(),
                unsupported: model.unsupported,
                service_formats,
                is_glb_only,
            },
            files,
            cutout: None,
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
        self.finish(
            &job,
            created.unwrap_or_else(|panicked| Err(panicked.into())),
        )
    }

    /// Stores the downloaded image of a job, which is then due without a download. Fails the session if
    /// the download failed, or if the image cannot be decoded.
    ///
    /// # Errors
    /// Fails if the store fails. The job is due again then.
    pub fn store_download(self, job: &Job, download: Download) -> Result<(), StoreError> {
        let checked = download
            .map_err(|reason| download_failed(&reason))
            .and_then(|file| self.decode(&file).map(|_| file));
        let file = match checked {
            Ok(file) => file,
            Err(error) => return self.finish(job, Err(error.into())),
        };
        match self.save_image(job.id(), file) {
            Ok(()) | Err(SaveError::Obsolete) => Ok(()),
            Err(SaveError::Store(error)) => Err(error),
        }
    }

    /// Returns the image of a job as a network takes it, or `None` if the job does not need the network.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn network_input(
        self,
        job: &mut Job,
        size: (u32, u32),
    ) -> Result<Option<RgbImage>, StoreError> {
        // A platform with such a network has no other engine.
        if job.engine() != SCULPT {
            return Ok(None);
        }
        let code = &job.id().code;
        let (Some(record), Some(file)) =
            (self.sessions.get(code)?, self.sessions.file(code, IMAGE)?)
        else {
            return Ok(None);
        };
        let image = StoredImage::open(self.sessions, self.decoder, None, &record, file)?;
        // A failure is reported when the job is run.
        let Ok((decoded, input)) = image.network_input(size) else {
            return Ok(None);
        };
        job.prepared.image.set(Some(decoded));
        Ok(input)
    }

    /// Stores the result of a job.
    fn finish(self, job: &Job, created: Result<Output, JobError>) -> Result<(), StoreError> {
        let (mut files, outcome, cutout) = match created {
            Ok(Output {
                files,
                result,
                cutout,
            }) => (files, Ok(result), cutout),
            Err(JobError::Model(ModelError::Failed(reason))) => (Vec::new(), Err(reason), None),
            Err(JobError::Model(ModelError::Cancelled)) => return Ok(()),
            Err(JobError::Store(error)) => return Err(error),
        };
        let cutout = cutout.map(|cutout| {
            files.push(cutout.file);
            cutout.record
        });
        let stage = job.id().stage;
        let saved = self.save(job.id(), files, |record| match &outcome {
            Ok(result) => {
                record.complete_stage(stage, result);
                if let Some(cutout) = &cutout {
                    record.cutout.clone_from(cutout);
                }
                // A session whose spins are done waits for its caller to select one.
                let is_over = stage != Stage::Spin && record.next_job().is_none();
                is_over.then_some(Outcome::Done)
            }
            Err(reason) => {
                record.fail_stage(stage, reason.clone());
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
        let Some(record) = self.sessions.get(&id.code)? else {
            return Err(ModelError::Cancelled.into());
        };
        let file = self.open_image(job, download)?;
        let segmentation = job.prepared.segmentation.as_ref();
        let segmenter = segmentation.map(|segmentation| segmentation as &dyn Segmenter);
        let segmenter = segmenter.or(self.segmenter);
        let image = StoredImage::open(self.sessions, self.decoder, segmenter, &record, file)?;
        image.set_decoded(job.prepared.image.take());
        let preview = match (id.stage, model_file(Stage::Preview)) {
            (Stage::Refine, Some(name)) => self.sessions.file(&id.code, &name)?,
            _ => None,
        };
        let checkpoint = StoredCheckpoint {
            runner: self,
            job: id,
            engine: job.engine(),
            image: &image,
            failure: RefCell::default(),
        };
        let source = Source {
            code: &id.code,
            file: &image.file,
            image: &image,
            parameters: &record.parameters,
            preview: preview.as_deref(),
            service_formats: &record.service_formats,
            checkpoint: &checkpoint,
        };
        let progress: &mut Progress = &mut |fraction| {
            self.queue.set_progress(id, fraction);
            // If the store fails, the result may still be needed.
            let is_next = self.sessions.store.is_next(id).unwrap_or(true);
            match self.queue.is_open() && is_next {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        };
        let output = match id.stage.detail() {
            None => engine.views(source, progress).map(Output::of_views),
            Some(detail) => engine
                .model(source, detail, record.selected_spin, progress)
                .map(|model| Output::of_model(id.stage, model)),
        };
        match (output, checkpoint.failure.take()) {
            (Ok(output), _) => Ok(Output {
                cutout: image.new_cutout(),
                ..output
            }),
            // The engine stopped because of the store.
            (Err(ModelError::Cancelled), Some(failure)) => Err(failure.into()),
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Returns the image file. Checks a downloaded file and stores it first, so that it is downloaded
    /// once.
    fn open_image(self, job: &Job, download: Option<Download>) -> Result<Vec<u8>, JobError> {
        if job.image_url().is_none() {
            let file = self.sessions.file(&job.id().code, IMAGE)?;
            return file.ok_or_else(|| image_failed(&"the stored image is missing").into());
        }
        let file = download
            .ok_or_else(|| image_failed(&"the image was not downloaded"))?
            .map_err(|reason| download_failed(&reason))?;
        self.decode(&file)?;
        match self.save_image(job.id(), file.clone()) {
            // An obsolete job ends at the engine's first report of its progress.
            Ok(()) | Err(SaveError::Obsolete) => Ok(file),
            Err(SaveError::Store(error)) => Err(error.into()),
        }
    }

    fn decode(self, file: &[u8]) -> Result<DynamicImage, ModelError> {
        let image = self.decoder.decode(file, Patience::Job);
        image.map_err(|error| image_failed(&error))
    }

    fn save_image(self, job: &JobId, file: Vec<u8>) -> Result<(), SaveError> {
        let bytes = file.len() as u64;
        self.save(job, vec![(IMAGE.to_owned(), file)], |record| {
            record.image_bytes = bytes;
        })
    }

    /// Stores files and a change of the session while the job is the next one of its session.
    fn save<T>(
        self,
        job: &JobId,
        files: Vec<File>,
        change: impl Fn(&mut Record) -> T,
    ) -> Result<T, SaveError> {
        let belongings = Change {
            files: FileChanges {
                put: files,
                remove: Vec::new(),
            },
            start: None,
        };
        let saved = self.sessions.update(&job.code, &belongings, |record| {
            let is_next = record.next_job().as_ref() == Some(job);
            is_next.then(|| change(record)).ok_or(())
        });
        saved.map_err(|error| match error {
            UpdateError::NotFound | UpdateError::Rejected(()) => SaveError::Obsolete,
            UpdateError::Write(error) => SaveError::Store(error.into()),
        })
    }
}

fn download_failed(reason: &str) -> ModelError {
    image_failed(&format_args!("download failed: {reason}"))
}

/// The checkpoint of a job, stored in its session's record.
struct StoredCheckpoint<'a> {
    runner: JobRunner<'a>,
    job: &'a JobId,
    engine: &'a str,
    /// The image of the session, whose new cutout is stored with the note: the process that resumes the
    /// job does not make it again.
    image: &'a StoredImage<'a>,
    /// The last error of the store, unless the note was saved since. If the engine stops because of it,
    /// the job is due again: whether a model was paid for cannot be known without the note.
    failure: RefCell<Option<StoreError>>,
}

impl StoredCheckpoint<'_> {
    fn fail(&self, error: StoreError) -> CheckpointError {
        self.failure.replace(Some(error));
        CheckpointError::Store
    }
}

impl Checkpoint for StoredCheckpoint<'_> {
    fn load(&self) -> Result<Option<String>, ModelError> {
        let record = self.runner.sessions.get(&self.job.code);
        let record = record.map_err(|error| self.fail(error))?;
        let note = record
            .as_ref()
            .and_then(|record| record.engine_note(self.job));
        Ok(note.map(str::to_owned))
    }

    fn load_others(&self) -> Result<Vec<String>, ModelError> {
        let store = &self.runner.sessions.store;
        let notes = store.engine_notes_except(self.engine, &self.job.code);
        Ok(notes.map_err(|error| self.fail(error))?)
    }

    fn save(&self, text: &str) -> Result<(), CheckpointError> {
        let (file, cutout) = self
            .image
            .new_cutout()
            .map(|cutout| (cutout.file, cutout.record))
            .unzip();
        let saved = self
            .runner
            .save(self.job, file.into_iter().collect(), |record| {
                record.set_engine_note(self.job, text.to_owned());
                if let Some(cutout) = &cutout {
                    record.cutout.clone_from(cutout);
                }
            });
        match saved {
            Ok(()) => {
                self.image.set_saved();
                self.failure.take();
                Ok(())
            }
            Err(SaveError::Obsolete) => {
                // The job may have been created after its session was deleted, and has to be ended.
                let store = &self.runner.sessions.store;
                let updated = store.update_deleted_job(self.engine, self.job, text);
                updated.map_err(|error| self.fail(error))?;
                Err(CheckpointError::Obsolete)
            }
            Err(SaveError::Store(error)) => Err(self.fail(error)),
        }
    }

    fn save_cost(&self, cost: SessionCost) {
        let _ = self.runner.save(self.job, Vec::new(), |record| {
            record.cost = Some(cost);
        });
    }

    fn set_status(&self, status: &str) {
        self.runner.queue.set_status(self.job, status);
    }
}
