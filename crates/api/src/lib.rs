//! The Image-to-3D API without I/O: a request and the time in, a response out.
//!
//! The same code serves an HTTP server, a web page and tests. [`Api::handle`] handles the requests,
//! [`Api::next_job`] and [`Api::run_job`] create the models.

mod access;
mod api;
mod body;
mod clock;
mod config;
mod cors;
mod cutout;
mod delivery;
mod engine;
mod error;
mod fault;
mod file_handler;
mod file_response;
mod files;
mod forwarded;
mod handlers;
mod idempotency;
mod image_source;
mod job_queue;
mod job_runner;
mod json;

mod later_parameters;
mod lock;
mod metrics;

mod progress;
mod quota;
mod record;
mod remote_engines;
mod render;
mod request;
mod request_log;
mod response;
mod retention;
mod routes;
mod service_format;
mod session_fault;
mod session_json;
mod sessions;
mod stage;
mod state;
mod store;
mod stored_image;
mod trial;
mod web_access;

pub use access::{Client, network};
pub use api::Api;
pub use clock::Millis;
pub use config::Config;
pub use contract::{CostUnit, Parameters, SessionCost};
pub use decode::{DecodeBusy, DecodeQueue, Panicked, Patience, catch_panic};
pub use delivery::{ChunkPlan, Delivery};
pub use engine::{
    Checkpoint, CheckpointError, Detail, Engine, Model, ModelError, Progress, SCULPT, Sculptor,
    Source, SourceImage, VIEW_COUNT,
};
pub use forwarded::Forwarded;
pub use http;
pub use image;
pub use job_queue::Job;
pub use job_runner::Download;
pub use metrics::{ClientMetrics, EngineMetrics, Metrics};
pub use quota::{Cents, DailyLimit, dollars};
pub use remote_engines::{DeletedJob, EndedJob, RemoteEngines, Worker};
pub use request::{API_KEY_HEADER, Request};
pub use response::{Response, StatusText};
pub use retention::Retention;
pub use sculpt::{Cutout, SegmentError, Segmenter};
pub use service_format::{ServiceFile, ServiceFormat};
pub use store::{
    Change, DeletedJobs, EmbeddedStore, EngineFilter, Entries, JobKind, MemoryEntries, MemoryStore,
    Order, Store, StoreError, Visit,
};
pub use trial::{try_create, try_decode};
