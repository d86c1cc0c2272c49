//! Jobs of remote engines that were running when version 0.1.0 was killed. Each checkpoint tells
//! whether a job was submitted, so that no model is paid twice.

use serde_json::Value;

use super::harness::Folder;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::emulators::hunyuan::{self, Hunyuan};
use crate::support::Server;

/// The job was submitted.
const HUNYUAN_SENT: &str = "SESSION_1721304004_1633916";
const FAL_SENT: &str = "SESSION_1721304004_7166818";
const MESHY_SENT: &str = "SESSION_1721304004_1613066";
/// The submit was rejected with 429 and is to be repeated.
const FAL_WAITING: &str = "SESSION_1721304004_4228470";
/// The submit was sent; its response had not arrived.
const MESHY_SENDING: &str = "SESSION_1721304004_1528523";

/// Starts a server with the stored data and this engine.
fn start(engine: &str, url: &str, extra: &str) -> (Folder, Server) {
    let folder = Folder::with_data();
    folder.write_config(&format!(
        "[engines.{engine}]\nurl = \"http://{url}\"\npoll = 0.02\n{extra}"
    ));
    let server = folder.start_server_with_data(&["--config", "config.toml"]);
    (folder, server)
}

fn start_hosted(emulator: &Emulator) -> (Folder, Server) {
    let name = emulator.engine.name();
    let extra = format!(
        "key_file = \"{name}.key\"\nresult_hosts = [\"{}\"]\n",
        emulator.file_host
    );
    start(name, &emulator.host, &extra)
}

fn assert_completes(server: &Server, code: &str) {
    let session = server.wait_for_end(code);
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["error"], Value::Null);
    let file = server.get(&format!("/files/{code}/preview.glb"));
    assert!(file.body.starts_with(b"glTF"));
}

#[test]
fn submitted_hunyuan_job_is_resumed() {
    let hunyuan = Hunyuan::start(hunyuan::Scenario::default());
    // The first job belongs to a session that is complete.
    hunyuan.add_done_job();
    hunyuan.add_done_job();
    let (_folder, server) = start("hunyuan", &hunyuan.host, "dialect = \"2.0\"\n");
    assert_completes(&server, HUNYUAN_SENT);
    assert_eq!(hunyuan.submits(), 0);
}

#[test]
fn submitted_fal_job_is_resumed_and_the_rejected_one_is_submitted() {
    let fal = Emulator::start(Engine::Fal, Scenario::Normal);
    fal.add_done_job();
    let (_folder, server) = start_hosted(&fal);
    assert_completes(&server, FAL_SENT);
    assert_completes(&server, FAL_WAITING);
    assert_eq!((fal.submits(), fal.billed_models()), (1, 2));
}

#[test]
fn submitted_meshy_job_is_resumed_and_the_lost_one_is_found_in_the_list() {
    let meshy = Emulator::start(Engine::Meshy, Scenario::Normal);
    meshy.add_done_job();
    meshy.add_done_job();
    let (_folder, server) = start_hosted(&meshy);
    assert_completes(&server, MESHY_SENT);
    assert_completes(&server, MESHY_SENDING);
    assert_eq!((meshy.submits(), meshy.billed_models()), (0, 2));
}
