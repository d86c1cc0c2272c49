//! One suite of tests for all kinds of stores: through the API, which is opened on the store.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::http::StatusCode;
use api::{Api, Config, DailyLimit, EngineFilter, JobKind, Retention};
use serde_json::{Value, json};

mod deleted_jobs;
mod harness;

pub use deleted_jobs::*;
pub use harness::Storage;
use harness::{
    Noting, PNG, REMOTE, SESSIONS, START, code, config, create, data, exists, get, list, next_job,
    open, post, run_jobs, send, session,
};

/// Defines a test of each case for the stores that the expression opens.
macro_rules! store_suite {
    ($storage:expr) => {
        store_suite!($storage;
            lists_the_newest_sessions_of_each_client_in_pages,
            keeps_sessions_and_files_for_the_next_process,
            returns_one_session_for_equal_requests_at_once,
            frees_an_idempotency_key_with_its_session,
            starts_a_preview_once_if_it_is_requested_twice_at_once,
            leases_each_job_once_and_again_after_it_is_dropped,
            leases_jobs_with_a_note_first,
            leases_the_jobs_of_an_engine_or_of_unknown_ones,
            leases_few_downloads_of_each_client_at_once,
            leases_a_model_once_its_image_is_downloaded,
            counts_pending_sessions_against_the_limits,
            counts_paid_models_against_the_daily_limits,
            deletes_the_oldest_sessions_of_the_largest_client,
            deletes_everything_of_a_session,
            returns_the_notes_of_other_sessions,
            keeps_the_jobs_of_deleted_sessions_until_they_are_forgotten,
            keeps_the_id_of_a_job_that_is_created_after_its_session_was_deleted,
        );
    };
    ($storage:expr; $($case:ident),* $(,)?) => {
        $(
            #[test]
            fn $case() {
                store_suite::$case(&$storage);
            }
        )*
    };
}

pub fn lists_the_newest_sessions_of_each_client_in_pages(storage: &dyn Storage) {
    let api = open(storage, &config());
    let codes: Vec<_> = (0..6)
        .map(|number| {
            create(
                &api,
                if number % 2 == 0 { "a" } else { "b" },
                START + number,
            )
        })
        .collect();
    let of_a = [&codes[4], &codes[2], &codes[0]];
    assert_eq!(list(&api, "a", "").iter().collect::<Vec<_>>(), of_a);
    assert_eq!(list(&api, "a", "limit=2&page=0"), [&*codes[4], &*codes[2]]);
    assert_eq!(list(&api, "a", "limit=2&page=1"), [&*codes[0]]);
    assert_eq!(list(&api, "b", "limit=1&page=2"), [&*codes[1]]);
    assert!(list(&api, "b", "limit=1&page=3").is_empty());
    drop(api);
    let without_keys = Config {
        clients: Vec::new(),
        ..config()
    };
    let all: Vec<_> = codes.iter().rev().cloned().collect();
    assert_eq!(list(&open(storage, &without_keys), "", ""), all);
}

pub fn keeps_sessions_and_files_for_the_next_process(storage: &dyn Storage) {
    let api = open(storage, &config());
    let done = create(&api, "a", START);
    run_jobs(&api);
    let waiting = create(&api, "a", START);
    let before = session(&api, "a", &done);
    assert_eq!(before["status"], "preview_done");
    let waiting_before = session(&api, "a", &waiting);
    drop(api);
    let api = open(storage, &config());
    assert_eq!(session(&api, "a", &done), before);
    assert_eq!(session(&api, "a", &waiting), waiting_before);
    let url = before["preview_mesh_url_glb"].as_str().unwrap();
    let path = &url[url.find("/files/").unwrap()..];
    assert_eq!(get(&api, "", path).body(), b"a model");
    run_jobs(&api);
    assert_eq!(session(&api, "a", &waiting)["status"], "preview_done");
}

/// Calls the function in several threads at once.
fn at_once<T: Send>(call: impl Fn() -> T + Sync) -> Vec<T> {
    const THREADS: usize = 4;
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| {
            scope.spawn(|| {
                barrier.wait();
                call()
            })
        });
        threads.map(|thread| thread.join().unwrap()).into()
    })
}

pub fn returns_one_session_for_equal_requests_at_once(storage: &dyn Storage) {
    let api = open(storage, &config());
    for round in 0..20 {
        let key = format!("key {round}");
        let body = json!({"image_url": PNG, "engine": "free"});
        let codes = at_once(|| code(&data(&post(&api, "a", Some(&key), &body, START))));
        assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
    }
    assert_eq!(list(&api, "a", "limit=100").len(), 20);
    let other = json!({"image_url": PNG, "engine": "free", "auto_refine": true});
    let conflict = post(&api, "a", Some("key 0"), &other, START);
    assert_eq!(conflict.status(), StatusCode::CONFLICT);
    // The keys of two clients are separate.
    data(&post(&api, "b", Some("key 0"), &other, START));
}

pub fn frees_an_idempotency_key_with_its_session(storage: &dyn Storage) {
    let api = open(storage, &config());
    let body = json!({"image_url": PNG, "engine": "free"});
    let first = code(&data(&post(&api, "a", Some("key"), &body, START)));
    drop(api);
    let api = open(storage, &config());
    let replay = code(&data(&post(&api, "a", Some("key"), &body, START)));
    assert_eq!(replay, first);
    let path = format!("{SESSIONS}/{first}");
    send(&api, "a", ("DELETE", &path), None, &Value::Null, START);
    let second = code(&data(&post(&api, "a", Some("key"), &body, START + 1000)));
    assert_ne!(second, first);
}

pub fn starts_a_preview_once_if_it_is_requested_twice_at_once(storage: &dyn Storage) {
    let api = open(storage, &config());
    let body = json!({"image_url": PNG, "preview_mesh": "turbo"});
    for round in 1..=10 {
        let code = code(&data(&post(&api, "a", None, &body, START)));
        run_jobs(&api);
        let path = format!("{SESSIONS}/get-3d/preview/{code}");
        let choice = json!({"selected_spin_index": 1});
        let accepted = AtomicUsize::new(0);
        at_once(|| {
            let response = send(&api, "a", ("POST", &path), None, &choice, START + 100_000);
            if response.status() == StatusCode::OK {
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(accepted.into_inner(), 1);
        assert_eq!(api.metrics(START + 100_000).unwrap().paid_today, round);
        run_jobs(&api);
    }
}

pub fn leases_each_job_once_and_again_after_it_is_dropped(storage: &dyn Storage) {
    let api = open(storage, &config());
    for number in 0..8 {
        create(&api, "a", START + number);
    }
    let leased: Vec<_> = at_once(|| [next_job(&api), next_job(&api)]);
    assert!(api.next_job(START + 100_000).unwrap().is_none());
    assert_eq!(api.next_due(START).unwrap(), None);
    drop(leased);
    let jobs = (0..8).map(|_| next_job(&api));
    assert_eq!(jobs.collect::<Vec<_>>().len(), 8);
    drop(api);
    // A job that runs when the process exits is due again in the next one.
    assert!(open(storage, &config()).next_due(START).unwrap().is_some());
}

pub fn leases_jobs_with_a_note_first(storage: &dyn Storage) {
    let api = open(storage, &config());
    create(&api, "a", START);
    let second = create(&api, "a", START + 1);
    let [first_job, second_job] = [next_job(&api), next_job(&api)];
    api.run_job(second_job, None, &Noting("later")).unwrap();
    drop(first_job);
    api.run_job(next_job(&api), None, &Noting("")).unwrap();
    assert_eq!(session(&api, "a", &second)["status"], "preview_done");
}

pub fn leases_the_jobs_of_an_engine_or_of_unknown_ones(storage: &dyn Storage) {
    let api = open(storage, &config());
    create(&api, "a", START);
    let now = START + 100_000;
    let claim = |filter| api.next_job_of(JobKind::Engine(filter), now).unwrap();
    assert!(claim(EngineFilter::Named("paid")).is_none());
    let known = ["paid".to_owned(), "free".to_owned()];
    let first = |known| EngineFilter::NamedOrUnknown {
        name: "paid",
        known,
    };
    assert!(claim(first(&known)).is_none());
    assert!(claim(EngineFilter::Named("free")).is_some());
    assert!(claim(first(&known[..1])).is_some());
    let due = |filter| api.next_due_of(JobKind::Engine(filter), START).unwrap();
    assert!(due(EngineFilter::Named("paid")).is_none());
    assert!(due(EngineFilter::Named("free")).is_some());
}

pub fn leases_few_downloads_of_each_client_at_once(storage: &dyn Storage) {
    let api = open(storage, &config());
    let body = json!({"image_url": REMOTE, "engine": "free"});
    for client in ["a", "a", "a", "b"] {
        data(&post(&api, client, None, &body, START));
    }
    let kind = JobKind::Download { max_per_client: 2 };
    let claim = || api.next_job_of(kind, START + 100_000).unwrap();
    let leased: Vec<_> = std::iter::from_fn(claim).collect();
    assert_eq!(leased.len(), 3);
    drop(leased);
    let leased: Vec<_> = std::iter::from_fn(claim).collect();
    assert_eq!(leased.len(), 3);
}

pub fn leases_a_model_once_its_image_is_downloaded(storage: &dyn Storage) {
    let api = open(storage, &config());
    let remote = |client| {
        let body = json!({"image_url": REMOTE, "engine": "free", "generate_preview_mesh": true});
        code(&data(&post(&api, client, None, &body, START)))
    };
    let (good, bad) = (remote("a"), remote("b"));
    let inline = create(&api, "a", START);
    let now = START + 100_000;
    let engine = JobKind::Engine(EngineFilter::Named("free"));
    let download = JobKind::Download { max_per_client: 2 };
    let job = api.next_job_of(engine, now).unwrap().unwrap();
    api.run_job(job, None, &Noting("")).unwrap();
    assert_eq!(session(&api, "a", &inline)["status"], "preview_done");
    assert!(api.next_job_of(engine, now).unwrap().is_none());
    let job = api.next_job_of(download, now).unwrap().unwrap();
    assert_eq!(job.image_url(), Some(REMOTE));
    let png = base64_simd::STANDARD.decode_to_vec(PNG.split(',').nth(1).unwrap());
    api.store_download(job, Ok(png.unwrap())).unwrap();
    let job = api.next_job_of(download, now).unwrap().unwrap();
    api.store_download(job, Err("HTTP 404".to_owned())).unwrap();
    let job = api.next_job_of(engine, now).unwrap().unwrap();
    api.run_job(job, None, &Noting("")).unwrap();
    assert_eq!(session(&api, "a", &good)["status"], "preview_done");
    let failed = session(&api, "b", &bad);
    assert_eq!(failed["error"], "image_url: download failed: HTTP 404");
    assert!(api.next_job(now).unwrap().is_none());
}

pub fn counts_pending_sessions_against_the_limits(storage: &dyn Storage) {
    let config = Config {
        max_pending: 3,
        max_pending_per_client: Some(2),
        ..config()
    };
    let api = open(storage, &config);
    let body = json!({"image_url": PNG, "engine": "free"});
    let status = |api: &Api, client| post(api, client, None, &body, START).status().as_u16();
    let statuses = ["a", "a", "a", "b", "b"].map(|client| status(&api, client));
    assert_eq!(statuses, [201, 201, 429, 201, 429]);
    drop(api);
    let api = open(storage, &config);
    assert_eq!(status(&api, "b"), 429);
    run_jobs(&api);
    assert_eq!(status(&api, "b"), 201);
}

pub fn counts_paid_models_against_the_daily_limits(storage: &dyn Storage) {
    let config = Config {
        daily_limit: DailyLimit {
            total: Some(3),
            per_client: Some(2),
            ..DailyLimit::default()
        },
        ..config()
    };
    let api = open(storage, &config);
    let body = json!({"image_url": PNG, "generate_preview_mesh": true});
    let status = |api: &Api, client, now| post(api, client, None, &body, now).status().as_u16();
    let statuses = ["a", "a", "a", "b", "b"].map(|client| status(&api, client, START));
    assert_eq!(statuses, [201, 201, 402, 201, 402]);
    drop(api);
    let api = open(storage, &config);
    assert_eq!(status(&api, "b", START), 402);
    assert_eq!(status(&api, "b", START + 24 * 60 * 60 * 1000), 201);
}

pub fn deletes_the_oldest_sessions_of_the_largest_client(storage: &dyn Storage) {
    let config = Config {
        retention: Retention {
            max_age: 1_000_000,
            max_bytes: 5000,
            max_bytes_per_client: None,
        },
        ..config()
    };
    let api = open(storage, &config);
    let of_b = create(&api, "b", START);
    let of_a: Vec<_> = (1..=3)
        .map(|number| {
            run_jobs(&api);
            create(&api, "a", START + number)
        })
        .collect();
    run_jobs(&api);
    let newest = create(&api, "a", START + 9);
    assert!(exists(&api, "b", &of_b) && exists(&api, "a", &newest));
    assert!(!exists(&api, "a", &of_a[0]) && exists(&api, "a", &of_a[2]));
    drop(api);
    // The session that is pending is kept, however old it is.
    let api = Api::open(&config, storage.open(), START + 2_000_000).unwrap();
    assert_eq!(list(&api, "a", ""), [newest]);
    assert!(list(&api, "b", "").is_empty());
}

pub fn deletes_everything_of_a_session(storage: &dyn Storage) {
    let api = open(storage, &config());
    let code = create(&api, "a", START);
    run_jobs(&api);
    let path = format!("{SESSIONS}/{code}");
    let delete = |client| send(&api, client, ("DELETE", &path), None, &Value::Null, START);
    assert_eq!(delete("b").status(), StatusCode::NOT_FOUND);
    assert_eq!(delete("a").status(), StatusCode::NO_CONTENT);
    assert_eq!(delete("a").status(), StatusCode::NOT_FOUND);
    assert!(!exists(&api, "a", &code) && list(&api, "a", "").is_empty());
    assert_eq!(api.metrics(START).unwrap().sessions, 0);
}

pub fn returns_the_notes_of_other_sessions(storage: &dyn Storage) {
    let api = open(storage, &config());
    create(&api, "a", START);
    api.run_job(next_job(&api), None, &Noting("job 1")).unwrap();
    let body = json!({"image_url": PNG, "engine": "paid", "generate_preview_mesh": true});
    data(&post(&api, "a", None, &body, START));
    api.run_job(next_job(&api), None, &Noting("job 2")).unwrap();
    let last = create(&api, "b", START);
    drop(api);
    let api = open(storage, &config());
    api.run_job(next_job(&api), None, &Noting("others"))
        .unwrap();
    // The sessions of the same engine, also those that have ended.
    assert_eq!(session(&api, "b", &last)["error"], "job 1");
}
