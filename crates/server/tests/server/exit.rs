//! How the program ends: exit codes, and what it writes to standard error.

use std::fs;

use crate::support::*;

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the program to its end with `RUST_BACKTRACE=1`, and with no engine's key in its environment.
fn run(flags: &[&str]) -> Ended {
    let output = command()
        .args(["--port", "0"])
        .args(flags)
        .env("RUST_BACKTRACE", "1")
        .env_remove("FAL_KEY")
        .output()
        .unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Checks that the program ends with one line for this configuration. `{path}` in `message` is
/// replaced with the file's path.
fn assert_config_error(config: &str, message: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, config).unwrap();
    let ended = run(&["--config", path]);
    let message = message.replace("{path}", path);
    assert_eq!(ended.stderr, format!("error: {message}\n"));
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
}

#[test]
fn reports_a_value_of_the_wrong_type_with_its_line() {
    assert_config_error(
        "origins = []\ndefault = 3\n",
        "{path}, line 2: invalid type: integer `3`, expected a string",
    );
}

#[test]
fn reports_a_default_engine_without_a_table() {
    assert_config_error(
        "default = \"fal\"\n",
        "Invalid default \"fal\": expected \"sculpt\". A table [engines.fal] adds this engine.",
    );
}

#[test]
fn reports_an_invalid_value_of_an_engine() {
    assert_config_error(
        "[engines.fal]\npoll = 0\n",
        "[engines.fal]: Invalid poll 0: expected a number of seconds from 0.001 to 86400",
    );
}

#[test]
fn check_reports_a_missing_key_without_a_backtrace() {
    let ended = run(&["--check", "--engine", "fal"]);
    assert_eq!(ended.stderr, "error: 1 engine is not ready\n");
    assert_eq!(
        ended.stdout,
        "MISSING  fal (default): no API key; set FAL_KEY in the environment, or name a file in key_file\n\
         ready    sculpt: built in; derives geometry from the image's outline, needs no network\n\
         cut-out network: built in (u2netp)\n\
         prices of fal: untextured $0.16, textured $0.30, textured low_poly $0.25, textured quads $3.00 \
         (list prices of fal.ai's model pages, read on 2026-11-27)\n\
         paid models: no daily limit; set one with `--daily-limit N` or `--daily-limit-usd USD`\n\
         paid models: a restart loses jobs in progress and today's usage; keep them with `--data FOLDER`\n\
         clients: no keys; only loopback connections are accepted\n\
         web pages: of localhost, 127.0.0.1, [::1] and this server; allow others with `--origin URL`\n"
    );
    assert_eq!(ended.code, Some(1));
}

#[test]
fn reports_a_port_that_is_in_use() {
    let server = Server::start(&[]);
    let port = server.host.rsplit(':').next().unwrap();
    let output = command().args(["--port", port]).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "error: Cannot listen on port {port}: already in use. Choose another port with --port.\n"
        )
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn usage_errors_exit_with_2() {
    let ended = run(&["--speed", "0"]);
    assert_eq!(
        ended.stderr,
        "error: invalid value '0' for '--speed <SPEED>': expected a number greater than 0\n\n\
         For more information, try '--help'.\n"
    );
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
}
