//! Runs the tests.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::console::step;
use crate::server::RunningServer;
use crate::tools::Browsers;
use crate::{api_wasm, build, check, server, tools};

/// Part of every API key that the tests use.
const CANARY: &str = "canary7d1f93";
const OUTPUT: &str = "target/test-output.log";

/// Which form of the tests with two forms runs.
#[derive(Clone, Copy, PartialEq)]
pub enum Length {
    Short,
    Full,
}

/// Runs all tests but those of `consumers`.
pub fn test(shell: &Shell, length: Length) -> Result<()> {
    if length == Length::Full {
        // The tests of both languages read it.
        shell.set_var("TEST_FULL", "1");
    }
    let _compilation = api_wasm::start(shell)?;
    let browsers = tools::ensure_test_tools(shell)?;
    let mut output = Output::new()?;

    step("native tests");
    output.run(cargo(shell).args(["test", "--quiet", "--workspace"]))?;

    build::build(shell)?;
    step("the types, against right and wrong uses");
    check::types(shell)?;

    let server = start_server(shell)?;
    shell.write_file(
        "target/test-server.json",
        format!("{{\"origin\":\"{}\"}}", server.origin),
    )?;
    browser_tests(shell, &mut output, &browsers)?;

    step("the package and the demo page");
    let measurements = cmd!(shell, "find tests/measurements -name *.test.js");
    let others = cmd!(
        shell,
        "find tests/package tests/page tests/server -name *.test.js"
    );
    // Two files at a time, because most tests wait for timers or for another process.
    for (files, concurrency) in [(others, "2"), (measurements, "1")] {
        let files = files.quiet().read()?;
        output.run(
            node(shell, &server, 1200)
                .args(["--test-concurrency", concurrency])
                .args(files.lines())
                .env("CHROMIUM", &browsers.chromium)
                .env("FIREFOX", &browsers.firefox),
        )?;
    }

    step("the example for Vitest");
    let _example = shell.push_dir("examples/vitest");
    tools::npm_ci(shell)?;
    output.run(command(shell, "npm").arg("test"))?;
    output.assert_no_key()
}

/// Tests the packed package in bundlers, runtimes and Jest, the examples and the proxies.
pub fn consumers(shell: &Shell) -> Result<()> {
    let chromium = tools::ensure_consumer_tools(shell)?;
    let mut output = Output::new()?;
    build::build(shell)?;
    let server = start_server(shell)?;
    step("the packed package in bundlers, runtimes and Jest, the examples, the proxies");
    output.run(
        node(shell, &server, 2400)
            .arg("tests/consumers/run.js")
            .env("CHROMIUM", &chromium),
    )?;
    output.assert_no_key()
}

fn start_server(shell: &Shell) -> Result<RunningServer> {
    server::compile_for_tests(shell)?;
    let flags = ["--site", "dist", "--body-limit", "256", "--speed", "5"];
    RunningServer::start(shell, &flags)
}

/// Node's test runner, for tests against the server. Each file may take `seconds`, so that a test
/// that hangs does not hang the run.
fn node(shell: &Shell, server: &RunningServer, seconds: u32) -> Command {
    let mut node = command(shell, "node");
    node.args(["--test", "--test-reporter", "spec"])
        .args(["--test-timeout", &format!("{seconds}000")])
        .env("SERVER", &server.origin);
    node
}

/// Runs `tests/browser` in both browsers, with the page on one origin and the server on another. The
/// library is optimised as published.
fn browser_tests(shell: &Shell, output: &mut Output, browsers: &Browsers) -> Result<()> {
    step("the library in Chromium and Firefox");
    assert_few_modules(shell)?;
    output.run(
        command(shell, "wasm-pack")
            .args(["test", "--mode", "no-install", "--release", "--headless"])
            .args(["--chrome", "--chromedriver"])
            .arg(&browsers.chromedriver)
            .args(["--firefox", "--geckodriver"])
            .arg(&browsers.geckodriver)
            .env(
                "WASM_BINDGEN_TEST_WEBDRIVER_JSON",
                "tests/browser/webdriver.json",
            )
            .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
            .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "30"),
    )
}

/// Fails if the page of `tests/browser` imports more modules than the test server responds to.
///
/// The server of wasm-bindgen-cli 0.2 runs on tiny_http 0.12, which starts four threads. It gives a
/// fifth connection that is opened at the same moment to a thread that may already be taken
/// (`TaskPool::spawn`): the page then never loads. Every second run did so with five modules, and none
/// of 14 with four.
fn assert_few_modules(shell: &Shell) -> Result<()> {
    const MAX_MODULES: usize = 4;
    let pattern = r#"module = "/pkg/[^"]+""#;
    let imports = cmd!(shell, "git grep -hoE {pattern} -- src").read()?;
    let modules: BTreeSet<_> = imports.lines().collect();
    let count = modules.len();
    ensure!(
        (1..=MAX_MODULES).contains(&count),
        "src imports {count} modules in tests, expected at most {MAX_MODULES}: {modules:?}"
    );
    Ok(())
}

fn cargo(shell: &Shell) -> Command {
    command(shell, "cargo")
}

/// Returns a command in the project's folder, with the project's own programs on `PATH`.
fn command(shell: &Shell, program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(shell.current_dir());
    command.env("PATH", shell.var_os("PATH").unwrap_or_default());
    if let Some(full) = shell.var_os("TEST_FULL") {
        command.env("TEST_FULL", full);
    }
    command
}

/// The output of the tests: shown, and recorded for the search at the end.
struct Output(File);

impl Output {
    fn new() -> Result<Self> {
        std::fs::create_dir_all("target")?;
        Ok(Self(File::create(OUTPUT)?))
    }

    /// Runs a command and records its output. Fails if the command fails.
    fn run(&mut self, command: &mut Command) -> Result<()> {
        let errors = self.0.try_clone()?;
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = (out.context("no output")?, err.context("no output")?);
        let errors = std::thread::spawn(move || copy(err, std::io::stderr(), errors));
        copy(out, std::io::stdout(), &self.0)?;
        if let Ok(copied) = errors.join() {
            copied?;
        }
        let status = child.wait()?;
        ensure!(status.success(), "{:?}: {status}", command.get_program());
        Ok(())
    }

    /// Fails if the output contains a key of a test.
    fn assert_no_key(&self) -> Result<()> {
        let printed = BufReader::new(File::open(OUTPUT)?);
        for line in printed.split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            if line.contains(CANARY) {
                bail!("The output contains an API key: {line}");
            }
        }
        step("the output contains no API key");
        Ok(())
    }
}

fn copy(
    from: impl std::io::Read,
    mut terminal: impl Write,
    mut log: impl Write,
) -> std::io::Result<()> {
    for line in BufReader::new(from).split(b'\n') {
        let mut line = line?;
        line.push(b'\n');
        terminal.write_all(&line)?;
        log.write_all(&line)?;
    }
    Ok(())
}
