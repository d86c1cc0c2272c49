//! What is different from one engine elsewhere to the next.

use std::time::Duration;

use api::Millis;
use api::image::DynamicImage;
use contract::Parameters;

use super::net::{Answer, Client, NoAnswer};

/// What is to be made.
pub struct Order<'a> {
    pub picture: &'a DynamicImage,
    /// With the API's default for each that was left out.
    pub parameters: Parameters,
    /// Whether the model is to have a texture.
    pub textured: bool,
}

/// A service that makes models, each as a job of its own. Several threads use it at once.
pub trait Service: Send + Sync {
    /// As callers and configurations name it.
    fn name(&self) -> &'static str;

    /// Whether a job costs money.
    fn is_paid(&self) -> bool {
        true
    }

    /// What the configuration lacks without which there is no model, in words.
    fn missing(&self) -> Option<String> {
        None
    }

    /// How many jobs it takes at once.
    fn at_once(&self) -> usize;

    /// Asks for a model: the one request that may cost money. Answers what the job is found again
    /// by, in a text of the service's own.
    ///
    /// # Errors
    /// What is known about whether there is a job now.
    fn submit(&self, order: &Order) -> Result<String, NotSubmitted>;

    /// The jobs that were begun since then, by the same texts; `None` where the service cannot be
    /// asked.
    fn since(&self, _: Millis) -> Option<Result<Vec<String>, String>> {
        None
    }

    /// Looks how far a job is.
    ///
    /// # Errors
    /// It could not be learnt this time, in words; the job itself may be well.
    fn look(&self, job: &str) -> Result<State, String>;

    /// Asks that a job be given up that nobody waits for any more; whether the service could be
    /// asked. The job may be done by now, or go on all the same.
    fn cancel(&self, _job: &str) -> bool {
        false
    }

    /// Downloads a result.
    fn client(&self) -> &Client;

    /// Looks whether the service is there and would make a model, without spending anything. Nothing
    /// that is configured is [`missing`](Self::missing).
    ///
    /// # Errors
    /// What is wrong, in words.
    fn check(&self) -> Result<String, String>;
}

/// Why there is no job.
#[derive(Debug)]
pub enum NotSubmitted {
    /// There is none, and will be none for this order.
    Refused(String),
    /// There is none, but a little later there may be.
    Later(String, Option<Duration>),
    /// Nobody knows.
    Unknown(String),
}

impl NotSubmitted {
    /// What an answer means that is none of success. Of a 503 only one that says when to come again
    /// is an answer of the service, and not of something before it.
    pub fn by(client: &Client, answer: &Answer) -> Self {
        let words = client.words(answer);
        match answer.status {
            503 if answer.retry_after.is_none() => Self::Unknown(words),
            429 | 503 => Self::Later(words, answer.retry_after),
            400..=499 if answer.status != 408 => Self::Refused(words),
            _ => Self::Unknown(words),
        }
    }
}

impl From<NoAnswer> for NotSubmitted {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Unsent(words) => Self::Later(words, None),
            NoAnswer::Lost(words) => Self::Unknown(words),
        }
    }
}

/// Whether a text from elsewhere can stand in a path.
pub fn is_plain(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    !text.is_empty() && text.len() <= 100 && text.chars().all(plain)
}

/// How far a job is.
#[derive(Debug)]
pub enum State {
    /// How much of it is done, from 0 to 1, and what is waited for, in words.
    Running(f32, String),
    /// The file itself.
    Made(Vec<u8>),
    /// Where the file is.
    MadeAt(String),
    Failed(String),
}
