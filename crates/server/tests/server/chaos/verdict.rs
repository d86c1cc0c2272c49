//! The checks after the chaos.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::clients::{Client, Planned};
use super::engines::Engines;
use super::machine::Machine;
use super::run::Run;
use crate::emulators::samples::numbered_png;
use crate::support::{SESSIONS, session_code};

/// In the reasons of sessions that failed because of an injected fault.
const REASONS: [&str; 6] = [
    "the model may have been charged and is not requested again",
    "nothing was charged",
    // `JobFails`, `JobAborts` and `UnknownStatus`.
    "Image too small",
    "task banned",
    "Request timed out",
    "unknown job status",
];

/// How long the sessions may take to end after the last fault: longer than the deadline of an engine
/// and the pauses after a full disk.
const END_TIMEOUT: Duration = Duration::from_secs(90);

/// The images that an engine billed, each by its number.
type Billed = (&'static str, Vec<u32>);

/// Checks what is left after the chaos.
pub fn check(run: &Run, machine: &Machine, engines: &Engines, clients: &[Client]) {
    if !machine.await_recovery(run) {
        return;
    }
    let host = machine.host();
    let ended = wait_for_ends(run, clients, &host);
    let billed: Vec<Billed> = engines
        .0
        .iter()
        .map(|emulator| (emulator.engine.name(), emulator.billed_images()))
        .collect();
    for session in &ended {
        let Err(violation) = session.check(&host, &billed) else {
            continue;
        };
        let (name, Planned { number, engine, .. }) = (session.client.name, session.plan);
        let session = &session.json;
        run.check(false, || {
            format!("session {number} of {name} with {engine}: {violation}: {session}")
        });
    }
    for client in clients {
        check_list(run, client, &host);
    }
    let deleted: Vec<_> = clients.iter().flat_map(Client::deleted).collect();
    for session in &deleted {
        let billed = billed.iter().flat_map(|(_, numbers)| numbers);
        let models = billed.filter(|number| **number == session.number).count();
        run.check(models <= 1, || {
            format!("deleted session {}: {models} models", session.number)
        });
        let is_gone = clients
            .iter()
            .all(|client| client.session(&host, &session.code).is_null());
        run.check(is_gone, || {
            format!("session {} was deleted, and is there again", session.number)
        });
    }
    println!("{} sessions were deleted", deleted.len());
    for (engine, numbers) in &billed {
        for number in numbers {
            let is_deleted = (deleted.iter())
                .any(|session| session.number == *number && session.engine == *engine);
            let is_planned = is_deleted
                || ended.iter().any(|session| {
                    session.plan.number == *number && session.plan.engine == *engine
                });
            run.check(is_planned, || {
                format!("{engine} billed image {number}, for which no session exists")
            });
        }
    }
    let complete = ended.iter().filter(|session| session.is("complete"));
    let (complete, all) = (complete.count(), ended.len());
    println!("{complete} of {all} sessions are complete");
    // Otherwise the run shows nothing.
    run.check(complete > all / 4, || {
        format!("only {complete} of {all} sessions are complete")
    });
}

/// An acknowledged session after its end.
struct Ended<'a> {
    client: &'a Client,
    plan: &'a Planned,
    json: Value,
}

/// Waits until all acknowledged sessions are complete or failed.
fn wait_for_ends<'a>(run: &Run, clients: &'a [Client], host: &str) -> Vec<Ended<'a>> {
    let start = Instant::now();
    let mut ended = Vec::new();
    for client in clients {
        for (plan, code) in client.acknowledged() {
            loop {
                let json = client.session(host, &code);
                let session = Ended { client, plan, json };
                let has_ended = session.is("complete") || session.is("failed");
                if has_ended || session.json.is_null() || start.elapsed() > END_TIMEOUT {
                    run.check(has_ended, || {
                        let (number, json) = (plan.number, &session.json);
                        format!("session {number} ({code}) is lost or does not end: {json}")
                    });
                    ended.push(session);
                    break;
                }
                sleep(Duration::from_millis(20));
            }
        }
    }
    ended
}

impl Ended<'_> {
    fn is(&self, status: &str) -> bool {
        self.json["session_status"] == status
    }

    /// Checks files, reason and bill of the session. Returns what is wrong.
    fn check(&self, host: &str, billed: &[Billed]) -> Result<(), String> {
        let number = self.plan.number;
        let models: usize = billed
            .iter()
            .map(|(_, numbers)| numbers.iter().filter(|billed| **billed == number).count())
            .sum();
        let expect = |holds: bool, violation: &str| holds.then_some(()).ok_or(violation.to_owned());
        let image = self.file(host, "image_url")?;
        expect(image == numbered_png(number), "its image has changed")?;
        if self.is("complete") {
            let model = self.file(host, "preview_mesh_url_glb")?;
            expect(model.starts_with(b"glTF"), "its model is not a GLB")?;
            let price = usize::from(self.plan.engine != "sculpt");
            return expect(models == price, &format!("{models} models were billed"));
        }
        let reason = self.json["error"].as_str().unwrap_or_default();
        let is_injected = REASONS.iter().any(|known| reason.contains(known));
        expect(is_injected, "it failed for another reason than the faults")?;
        let is_free = reason.contains("nothing was charged");
        let most = usize::from(!is_free);
        expect(models <= most, &format!("{models} models were billed"))
    }

    /// Downloads the file whose URL is in this field.
    fn file(&self, host: &str, field: &str) -> Result<Vec<u8>, String> {
        let url = self.json[field].as_str();
        let url = url.ok_or_else(|| format!("it has no {field}"))?;
        let path = url.split_once(host).map(|(_, path)| path);
        let path = path.ok_or_else(|| format!("{field} has another host"))?;
        match self.client.get(host, path) {
            Some(response) if response.status == 200 => Ok(response.body),
            Some(response) => Err(format!("{field} got a {}", response.status)),
            None => Err(format!("{field} got no response")),
        }
    }
}

/// Checks that the client has exactly the sessions that it knows.
fn check_list(run: &Run, client: &Client, host: &str) {
    let path = format!("{SESSIONS}?limit=1000000");
    let list = client.get(host, &path).expect("no list").json();
    let listed = list["data"]["results"].as_array().unwrap();
    let listed: BTreeSet<_> = listed.iter().map(session_code).collect();
    let acknowledged = client.acknowledged().into_iter();
    let expected: BTreeSet<_> = acknowledged.map(|(_, code)| code).collect();
    run.check(listed == expected, || {
        let name = client.name;
        let lost: Vec<_> = expected.difference(&listed).collect();
        let unknown: Vec<_> = listed.difference(&expected).collect();
        format!("client {name}: lost sessions {lost:?}, unknown sessions {unknown:?}")
    });
}
