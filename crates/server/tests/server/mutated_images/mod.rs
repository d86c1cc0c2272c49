//! Creates with damaged images: each gets a response, and the server keeps its sessions.
//!
//! `MUTATION_SEED` repeats the images of a run, and `MUTATIONS` sets their number.

mod connection;
mod mutation;
mod samples;

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use connection::Connection;

use crate::support::*;

const SHORT: u64 = 2000;
const FULL: u64 = 100_000;
/// The number of connections that send images at the same time.
const CONNECTIONS: usize = 4;
/// The number of sessions that exist before the first damaged image.
const EARLIER_SESSIONS: u32 = 10;
/// The sessions of the first images, this many, stay; others are deleted, because the server becomes
/// slower with each session in progress.
const MAX_KEPT: u64 = 1000;
/// The number of failures that are reported, and whose images are kept.
const MAX_FAILURES: usize = 20;

#[test]
fn damaged_images_break_no_connection_and_lose_no_session() {
    let default = if is_full_run() { FULL } else { SHORT };
    let count = number_variable("MUTATIONS").unwrap_or(default);
    let seed = number_variable("MUTATION_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("MUTATION_SEED={seed} MUTATIONS={count}");
    let samples = samples::all();

    let folder = tempfile::tempdir().unwrap();
    // Nobody reads a pipe.
    let log = File::create(folder.path().join("log")).unwrap();
    let child = command()
        .args(["--port", "0", "--decode-mib", "64"])
        // No session is rejected, and no job decodes an image again.
        .args(["--queue", "1000000", "--speed", "0.001"])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn();
    let mut server = Server::from_child(child.unwrap());
    let mut codes: Vec<_> = (0..EARLIER_SESSIONS)
        .map(|number| {
            let body = create_body(&solid_png(number));
            let response = server.post(SESSIONS, "", &body).unwrap();
            session_code(&response.json()["data"])
        })
        .collect();

    let start = Instant::now();
    let next = AtomicU64::new(0);
    let (created, failures) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let fail = |index: u64, file: &[u8], failure: &str| {
        let mut failures = failures.lock().unwrap();
        if failures.len() < MAX_FAILURES {
            let path = keep(seed, index, file);
            failures.push(format!("image {index} ({path}): {failure}"));
        }
    };
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = Connection::new(&server.host);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(index));
                    let file = mutation::mutate(&samples, &mut random);
                    match connection.create(&file) {
                        Ok(Some(code)) if index < MAX_KEPT => created.lock().unwrap().push(code),
                        Ok(Some(code)) => {
                            let deleted = connection.delete(&code);
                            deleted.unwrap_or_else(|failure| fail(index, &file, &failure));
                        }
                        Ok(None) => {}
                        Err(failure) => fail(index, &file, &failure),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{:.0} images/s, at most {} MiB",
        count as f64 / seconds,
        server.peak_memory() / MIB
    );
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(
        failures.is_empty(),
        "MUTATION_SEED={seed} MUTATIONS={count}:\n{}\n{log}",
        failures.join("\n")
    );
    codes.extend(created.into_inner().unwrap());
    assert!(server.child.try_wait().unwrap().is_none(), "{log}");
    let mut found: Vec<_> = server.sessions().iter().map(session_code).collect();
    found.sort_unstable();
    codes.sort_unstable();
    assert!(found == codes, "MUTATION_SEED={seed}: sessions are lost");
}

/// Writes a file that failed, and returns its path.
fn keep(seed: u64, index: u64, file: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutated-{seed}-{index}"));
    fs::write(&path, file).unwrap();
    path.display().to_string()
}
