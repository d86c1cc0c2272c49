//! Missing and misplaced keys of the engines, `--check`, and fal's backup URL.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::json;

use super::harness::{CHARGED, start_gateway};
use crate::emulators::hosted::{Emulator, Engine, KEY, Scenario};
use crate::support::{CANARY, SESSIONS, Server, command, create_body, session_code, solid_png};

tests_of_all_engines! {
    session_without_an_engine_key_fails_without_a_request,
    check_accepts_a_key_in_a_private_file,
    check_rejects_a_key_file_that_others_can_read,
    check_reports_a_missing_key,
    check_finds_wrong_result_hosts,
    engine_flag_with_a_url_needs_no_further_configuration,
    no_model_is_requested_after_a_result_was_refused,
    check_rejects_a_public_address_without_client_keys,
}

fn session_without_an_engine_key_fails_without_a_request(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, emulator.config("")).unwrap();
    let mut server = Server::start(&["--config", file.to_str().unwrap()]);
    let body = create_body(&solid_png(1));
    let created = server.post(SESSIONS, "", &body).unwrap().json();
    let session = server.wait_for_end(&session_code(&created["data"]));
    assert_eq!(session["status"], "preview_failed", "{session}");
    let variable = engine.key_variable();
    let error = format!("no API key; set {variable} in the environment");
    assert!(
        session["error"].as_str().unwrap().contains(&error),
        "{session}"
    );
    assert_eq!(emulator.submits(), 0);
    let log = server.kill_and_read_stderr();
    assert!(log.contains(&error), "{log}");
}

/// Whether `--check` exited with 0, and what it printed.
struct Check {
    is_ok: bool,
    output: String,
}

/// Runs `--check` with a key file of this mode. `{key}` in `extra`, which is added to the engine's
/// table, is replaced with the file's path.
fn check(emulator: &Emulator, mode: u32, extra: &str, flags: &[&str]) -> Check {
    let folder = tempfile::tempdir().unwrap();
    let (config, key) = (folder.path().join("config.toml"), folder.path().join("key"));
    fs::write(&key, format!("{KEY}\n")).unwrap();
    fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
    let extra = extra.replace("{key}", key.to_str().unwrap());
    fs::write(&config, emulator.config(&extra)).unwrap();
    let output = command()
        .args(["--check", "--config", config.to_str().unwrap()])
        .args(flags)
        .output()
        .unwrap();
    let is_ok = output.status.success();
    let output = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!output.contains(CANARY), "{output}");
    assert_eq!(emulator.submits(), 0);
    Check { is_ok, output }
}

const KEY_FILE: &str = "key_file = \"{key}\"\n";

fn check_accepts_a_key_in_a_private_file(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let Check { is_ok, output } = check(&emulator, 0o600, KEY_FILE, &["--daily-limit", "7"]);
    let ready = match engine {
        Engine::Fal => "reachable, API key configured",
        Engine::Meshy => "API key accepted, 70 credits left",
        Engine::Tripo => "API key accepted, 70.5 credits left",
        Engine::ComfyUi => "ComfyUI 0.3.64 reachable",
    };
    assert!(is_ok && output.contains(ready), "{output}");
    assert!(
        output.contains("paid models: at most 7 per day\n"),
        "{output}"
    );
}

fn check_rejects_a_key_file_that_others_can_read(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let Check { is_ok, output } = check(&emulator, 0o644, KEY_FILE, &[]);
    assert!(
        !is_ok && output.contains("is accessible to other users"),
        "{output}"
    );
}

fn check_reports_a_missing_key(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let Check { is_ok, output } = check(&emulator, 0o600, "", &[]);
    assert!(!is_ok && output.contains("no API key; set"), "{output}");
    assert!(output.contains("paid models: no daily limit"), "{output}");
}

fn check_rejects_a_public_address_without_client_keys(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let Check { is_ok, output } = check(&emulator, 0o600, KEY_FILE, &["--bind", "0.0.0.0"]);
    assert!(
        !is_ok && output.contains("requires client keys"),
        "{output}"
    );
}

#[test]
fn check_and_sessions_report_a_retired_model_of_meshy() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::Normal);
    let table = format!("ai_model = \"meshy-5\"\n{KEY_FILE}");
    let Check { is_ok, output } = check(&emulator, 0o600, &table, &[]);
    let error = "Meshy has retired meshy-5; set ai_model to meshy-7.1 or meshy-6";
    assert!(!is_ok && output.contains(error), "{output}");
    let gateway = start_gateway(&emulator, "ai_model = \"meshy-5\"\n", &[]);
    let session = gateway.create_and_wait(json!({}));
    assert!(
        session["error"].as_str().unwrap().contains(error),
        "{session}"
    );
    assert_eq!(emulator.submits(), 0);
}

#[test]
fn check_shows_the_prices_and_all_limits() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let flags = [
        "--daily-limit",
        "7",
        "--daily-limit-each",
        "3",
        "--daily-limit-usd",
        "2.50",
    ];
    let Check { is_ok, output } = check(&emulator, 0o600, KEY_FILE, &flags);
    assert!(is_ok, "{output}");
    for line in [
        "prices of fal: untextured $0.16, textured $0.30, textured low_poly $0.25, textured quads \
         $3.00 (list prices of fal.ai's model pages, read on 2026-11-27)\n",
        "paid models: at most 7 per day, 3 per client key, $2.50 by list prices\n",
    ] {
        assert!(output.contains(line), "{output}");
    }
}

#[test]
fn check_requires_the_price_of_each_model_for_a_limit_in_money() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let model = format!("{KEY_FILE}[engines.fal.model]\nid = \"fal-ai/triposr\"\n");
    let flags = ["--daily-limit-usd", "5"];
    let Check { is_ok, output } = check(&emulator, 0o600, &model, &flags);
    assert!(
        !is_ok && output.contains("set price_usd in [engines.fal]"),
        "{output}"
    );
    let priced = format!("price_usd = 0.07\n{model}");
    let Check { is_ok, output } = check(&emulator, 0o600, &priced, &flags);
    assert!(is_ok && output.contains("$0.07 a model"), "{output}");
}

/// A result on a host that is not in `result_hosts` would be refused after it was paid for.
fn check_finds_wrong_result_hosts(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let table = format!("result_hosts = [\"cdn.example\"]\n{KEY_FILE}");
    let Check { is_ok, output } = check(&emulator, 0o600, &table, &[]);
    assert!(
        !is_ok && output.contains("result_hosts lacks 127.0.0.1:*"),
        "{output}"
    );
}

/// As README.md describes it: the flag with a URL, and the key in the environment.
fn engine_flag_with_a_url_needs_no_further_configuration(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let flag = format!("{}=http://{}", engine.name(), emulator.host);
    let start = |extra: &[&str]| {
        let mut command = command();
        command.args(["--engine", &flag, "--port", "0"]).args(extra);
        command.env(engine.key_variable(), KEY);
        command
    };
    let output = start(&["--check"]).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let mut server = Server::from_child(start(&[]).stdout(Stdio::piped()).spawn().unwrap());
    let body = create_body(&solid_png(1));
    let created = server.post(SESSIONS, "", &body).unwrap().json();
    let session = server.wait_for_end(&session_code(&created["data"]));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(emulator.billed_models(), 1);
    server.kill();
}

/// The first result is lost, but no further model is paid for.
fn no_model_is_requested_after_a_result_was_refused(engine: Engine) {
    let emulator = Emulator::start(engine, Scenario::FileOnOtherHost);
    let gateway = start_gateway(&emulator, "", &[]);
    for _ in 0..3 {
        let session = gateway.create_and_wait(json!({}));
        let error = session["error"].as_str().unwrap();
        assert!(error.contains("add the host to result_hosts"), "{error}");
    }
    assert_eq!(emulator.billed_models(), 1);
}

fn backup_url(emulator: &Emulator) -> String {
    format!("backup_url = \"http://{}\"\n", emulator.host)
}

/// [A] Like fal's own client: only if the connection fails, so that nothing was sent.
fn assert_backup_is_used(unreachable_host: &str) {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let mut unreachable = emulator.clone();
    unreachable.host = unreachable_host.into();
    let gateway = start_gateway(&unreachable, &backup_url(&emulator), &[]);
    let session = gateway.create_and_wait(json!({}));
    assert_eq!(session["status"], "preview_done", "{session}");
}

#[test]
fn fal_backup_url_is_used_if_the_connection_is_refused() {
    assert_backup_is_used("127.0.0.1:9");
}

#[test]
fn fal_backup_url_is_used_if_the_host_is_unknown() {
    assert_backup_is_used("nobody.invalid");
}

#[test]
fn fal_backup_url_is_not_used_after_a_request_was_sent() {
    let backup = Emulator::start(Engine::Fal, Scenario::Normal);
    let emulator = Emulator::start(Engine::Fal, Scenario::SubmitResets);
    let gateway = start_gateway(&emulator, &backup_url(&backup), &[]);
    let session = gateway.create_and_wait(json!({}));
    assert!(
        session["error"].as_str().unwrap().contains(CHARGED),
        "{session}"
    );
    assert_eq!((emulator.billed_models(), backup.billed_models()), (1, 0));
}
