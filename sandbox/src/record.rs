//! The sessions, and how far the clock has brought each.

use std::collections::BTreeMap;

use contract::{KnownStatus, Parameters, PreviewMesh, SessionFields};
use serde::Serialize;

use crate::Millis;
use crate::picture::Picture;

/// How long each stage takes, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Durations {
    spin: Millis,
    preview: Millis,
    refine: Millis,
}

impl Durations {
    pub fn new(speed: f64) -> Self {
        let stage = (1000.0 / speed) as Millis;
        Self {
            spin: stage,
            preview: stage,
            refine: 2 * stage,
        }
    }
}

/// One session.
#[derive(Clone, Debug)]
pub struct Record {
    pub code: String,
    pub id: String,
    pub parameters: Parameters,
    pub picture: Picture,
    pub created: Millis,
    pub status: KnownStatus,
    /// When the status was reached.
    pub since: Millis,
}

impl Record {
    /// Moves the session on to where it is at `now`.
    fn advance(&mut self, durations: &Durations, now: Millis) {
        use KnownStatus::*;
        let turbo = self.parameters.preview_mesh == Some(PreviewMesh::Turbo);
        let auto_refine = self.parameters.auto_refine == Some(true);
        while let Some((after, next)) = match self.status {
            SpinGenerateProcessing => Some((durations.spin, SpinGenerateDone)),
            SpinGenerateDone if !turbo => Some((0, TrainingPreview)),
            TrainingPreview => Some((durations.preview, PreviewDone)),
            PreviewDone if auto_refine => Some((0, TrainingRefine)),
            TrainingRefine => Some((durations.refine, RefineDone)),
            _ => None,
        } {
            if self.since + after > now {
                break;
            }
            self.status = next;
            self.since += after;
        }
    }

    /// The session as the API answers it. `origin` is where the caller reaches this server.
    pub fn answered(&self, origin: &str) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Answered {
            #[serde(flatten)]
            session: SessionFields,
            #[serde(flatten)]
            parameters: Parameters,
        }
        Answered {
            session: SessionFields {
                id: Some(self.id.clone()),
                user_id: Some("5a4db0c5a4db0c5a4db0c5a4".into()),
                session_code: self.code.clone(),
                image_url: Some(match &self.picture {
                    Picture::Remote(url) => url.clone(),
                    Picture::Stored { .. } => format!("{origin}/files/{}/image", self.code),
                }),
                status: self.status,
                source: Some("external".into()),
                created_at: Some(date(self.created)),
                updated_at: Some(date(self.since)),
            },
            parameters: self.parameters.or_defaults(),
        }
    }
}

fn date(at: Millis) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(at);
    humantime::format_rfc3339_millis(time).to_string()
}

/// All sessions, by code; the codes sort by age.
#[derive(Default)]
pub struct Records(BTreeMap<String, Record>);

impl Records {
    pub fn add(
        &mut self,
        parameters: Parameters,
        picture: Picture,
        now: Millis,
        random: &mut fastrand::Rng,
    ) -> Record {
        let code = loop {
            let code = format!("SESSION_{}_{:07}", now / 1000, random.u32(0..10_000_000));
            if !self.0.contains_key(&code) {
                break code;
            }
        };
        let record = Record {
            id: format!("{:08x}{:016x}", now / 1000, random.u64(..)),
            code: code.clone(),
            parameters,
            picture,
            created: now,
            status: KnownStatus::SpinGenerateProcessing,
            since: now,
        };
        self.0.insert(code, record.clone());
        record
    }

    pub fn get(&mut self, code: &str, durations: &Durations, now: Millis) -> Option<&Record> {
        let record = self.0.get_mut(code)?;
        record.advance(durations, now);
        Some(record)
    }

    /// The newest first.
    pub fn list(
        &mut self,
        limit: usize,
        page: usize,
        durations: &Durations,
        now: Millis,
    ) -> Vec<&Record> {
        let mut newest: Vec<_> = self.0.values_mut().collect();
        newest.sort_by_key(|record| std::cmp::Reverse(record.created));
        let shown = newest
            .into_iter()
            .skip(limit.saturating_mul(page))
            .take(limit);
        shown
            .map(|record| {
                record.advance(durations, now);
                &*record
            })
            .collect()
    }
}
