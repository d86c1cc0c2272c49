//! Finding the job whose response was lost.

use std::cell::RefCell;
use std::ops::ControlFlow;

use api::image::DynamicImage;
use api::{Cutout, Parameters, SessionCost, SourceImage};

use super::super::client::Client;
use super::super::service::{
    CancelReason, Cancellation, CheckError, JobState, ListError, PollError,
};
use super::*;

/// A service with these listed jobs. Each submission is accepted as `new job`.
struct Listing(&'static [&'static str]);

impl Service for Listing {
    fn name(&self) -> &'static str {
        "test"
    }

    fn default_concurrent(&self) -> usize {
        1
    }

    fn submit(&self, _: &ModelRequest) -> Result<String, SubmitError> {
        Ok("new job".into())
    }

    fn list_since(&self, _: Millis) -> Result<Vec<String>, ListError> {
        Ok(self.0.iter().map(|job| (*job).to_owned()).collect())
    }

    fn poll(&self, _: &str) -> Result<JobState, PollError> {
        Err(PollError::Unexpected("no poll is expected"))
    }

    fn cancel(&self, job: &str, _: CancelReason) -> Cancellation {
        panic!("{job} is cancelled");
    }

    fn client(&self) -> &Client {
        unreachable!("nothing is downloaded")
    }

    fn check(&self) -> Result<String, CheckError> {
        Ok(String::new())
    }
}

/// The notes of this session and of the others.
struct Notes {
    own: RefCell<Option<SubmissionNote>>,
    others: Vec<SubmissionNote>,
    /// How many more attempts to save the note of a job fail.
    failures: RefCell<usize>,
}

impl Checkpoint for Notes {
    fn load(&self) -> Result<Option<String>, ModelError> {
        let note = self.own.borrow();
        Ok(note
            .as_ref()
            .map(|note| serde_json::to_string(note).unwrap()))
    }

    fn load_others(&self) -> Result<Vec<String>, ModelError> {
        let notes = self.others.iter();
        Ok(notes
            .map(|note| serde_json::to_string(note).unwrap())
            .collect())
    }

    fn save(&self, text: &str) -> Result<(), CheckpointError> {
        let note = serde_json::from_str(text).unwrap();
        let mut failures = self.failures.borrow_mut();
        if matches!(note, SubmissionNote::Sent { .. }) && *failures > 0 {
            *failures -= 1;
            return Err(CheckpointError::Store);
        }
        self.own.replace(Some(note));
        Ok(())
    }

    fn save_cost(&self, _: SessionCost) {}

    fn set_status(&self, _: &str) {}
}

struct Pixel;

impl SourceImage for Pixel {
    fn decode(&self) -> Result<DynamicImage, ModelError> {
        Ok(DynamicImage::new_rgb8(1, 1))
    }

    fn cut_out(&self, _: &DynamicImage) -> Result<Cutout, ModelError> {
        unreachable!()
    }

    fn is_cutout_requested(&self) -> bool {
        false
    }
}

/// Returns the job of a session with these notes.
fn job(listed: &'static [&'static str], notes: &Notes) -> Result<String, ModelError> {
    let timing = Timing {
        poll_interval: Duration::from_millis(1),
        deadline: Duration::from_secs(1),
    };
    let engine = RemoteEngine::new(Box::new(Listing(listed)), timing, None, Arc::default());
    let source = Source {
        code: "SESSION_1_1",
        file: &[],
        image: &Pixel,
        parameters: &Parameters::default(),
        preview: None,
        service_formats: &[],
        checkpoint: notes,
    };
    let job = engine.job(&source, &mut |_| ControlFlow::Continue(()))?;
    Ok(job.job)
}

fn lost_job(others: &[SubmissionNote]) -> Result<String, ModelError> {
    let notes = Notes {
        own: RefCell::new(Some(SubmissionNote::Sending { since: 100_000 })),
        others: others.to_vec(),
        failures: RefCell::default(),
    };
    job(&["listed job"], &notes)
}

#[test]
fn takes_the_only_listed_job_that_no_session_knows() {
    let other = |since| SubmissionNote::Sent {
        since,
        job: "other job".into(),
    };
    assert_eq!(lost_job(&[other(100_001)]).unwrap(), "listed job");
    // The request of the other session was sent before, and its job is not listed.
    let before = SubmissionNote::Sending { since: 90_000 };
    assert_eq!(lost_job(&[before]).unwrap(), "listed job");
    let rejected = SubmissionNote::Waiting { since: 100_001 };
    assert_eq!(lost_job(&[rejected]).unwrap(), "listed job");
}

#[test]
fn takes_no_job_that_may_belong_to_another_session() {
    let known = SubmissionNote::Sent {
        since: 100_001,
        job: "listed job".into(),
    };
    assert!(lost_job(&[known]).is_err());
    for since in [96_000, 100_001, 200_000] {
        let error = lost_job(&[SubmissionNote::Sending { since }]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "test: the server stopped while the model was requested, and so was the model of another \
             session; the model may have been charged and is not requested again"
        );
    }
}

#[test]
fn saves_the_job_of_an_accepted_request_once_the_store_works() {
    let notes = Notes {
        own: RefCell::default(),
        others: Vec::new(),
        failures: RefCell::new(1),
    };
    assert_eq!(job(&[], &notes).unwrap(), "new job");
    assert!(matches!(
        notes.own.into_inner(),
        Some(SubmissionNote::Sent { .. })
    ));
}
