//! The project's own commands. Each installs the tools that it needs, prints its steps, and reuses
//! earlier results.

mod api_surface;
mod api_wasm;
mod background;
mod bench;
mod build;
mod check;
mod console;
mod cutout_files;
mod cycles;
mod demo;
mod files;
mod notices;
mod openapi;
mod reference;
mod release;
mod server;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use xshell::Shell;

use release::Platform;
use test::Length;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Builds everything and serves the demo page, the package and the API at one address.
    Demo {
        /// The port on 127.0.0.1.
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// The engine that makes the models, and its URL. Default: `sculpt`.
        #[arg(long, value_name = "NAME[=URL]")]
        engine: Option<String>,
        /// The server's configuration: a TOML file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Further options of the server: see its `--help`.
        #[arg(last = true)]
        server: Vec<String>,
    },
    /// Runs all tests: native, in browsers, of the types and of the demo page.
    Test {
        /// Tests the packed package in bundlers, runtimes and Jest, the examples and the proxies instead.
        #[arg(long)]
        consumers: bool,
        /// Runs the long form of the tests that have one, such as a hundred kills instead of ten.
        #[arg(long, conflicts_with = "consumers")]
        full: bool,
    },
    /// Writes the npm package to `pkg/` and the static site to `dist/`.
    Build,
    /// Measures the library against its baselines, in browsers and natively.
    Bench(bench::Options),
    /// Checks formatting, lints, types, import cycles, the public surface, the description of the API
    /// and the licences of the dependencies, without running tests.
    Check {
        /// Accepts the current TypeScript definitions as the reviewed ones, docs/api.d.ts, instead.
        #[arg(long)]
        accept_api: bool,
        /// Looks for known vulnerabilities in the dependencies instead. Downloads the RustSec database
        /// from GitHub.
        #[arg(long, conflicts_with = "accept_api")]
        advisories: bool,
    },
    /// Writes the files with the licences of what the npm package and the server contain.
    Notices,
    /// Writes the description of the API anew: crates/server/docs/openapi.json and its page.
    Openapi,
    /// Fails if files of a crate, or JavaScript modules, import each other in a circle.
    Cycles,
    /// Builds and checks everything that a release consists of, without publishing it: npm packages,
    /// crates, and the server's program for each platform.
    Release {
        /// The platforms of the server. Repeatable. Default: all.
        #[arg(long, value_name = "PLATFORM")]
        platform: Vec<Platform>,
    },
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Not returned from `main`, which would print a backtrace where RUST_BACKTRACE is set.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let shell = Shell::new()?;
    // The paths of the arguments are relative to the caller's folder.
    let caller_folder = std::env::current_dir()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    std::env::set_current_dir(&root)?;
    shell.change_dir(root);
    match command {
        Command::Demo {
            port,
            engine,
            config,
            server,
        } => demo::demo(
            &shell,
            port,
            engine,
            config.map(|file| caller_folder.join(file)),
            &server,
        ),
        Command::Test {
            consumers: true, ..
        } => test::consumers(&shell),
        Command::Test { full: true, .. } => test::test(&shell, Length::Full),
        Command::Test { .. } => test::test(&shell, Length::Short),
        Command::Build => build::build(&shell),
        Command::Bench(options) => bench::bench(&shell, &options, &caller_folder),
        Command::Check {
            accept_api: true, ..
        } => api_surface::accept(&shell),
        Command::Check {
            advisories: true, ..
        } => check::advisories(&shell),
        Command::Check { .. } => check::check(&shell),
        Command::Notices => notices::write(&shell),
        Command::Openapi => openapi::write(&shell),
        Command::Cycles => cycles::check(&shell),
        Command::Release { platform } if platform.is_empty() => {
            release::release(&shell, Platform::value_variants())
        }
        Command::Release { platform } => release::release(&shell, &platform),
    }
}
