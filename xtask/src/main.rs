//! The project's own commands. Each sets up what it needs, says what it does, and is quick the
//! second time.

mod api;
mod api_wasm;
mod bench;
mod build;
mod check;
mod demo;
mod release;
mod server;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use xshell::Shell;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Builds everything and serves the demo page, the package and the API at one address.
    Demo {
        /// The port on 127.0.0.1.
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// The engine that makes the models, and where it is: `sculpt` unless another is named.
        #[arg(long, value_name = "NAME[=URL]")]
        engine: Option<String>,
        /// The server's configuration: a TOML file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Whatever else the server takes: see its `--help`.
        #[arg(last = true)]
        server: Vec<String>,
    },
    /// Runs all tests: native, in browsers, of the types and of the demo page.
    Test {
        /// Instead of those: the packed package in bundlers and runtimes, the examples, the proxies.
        #[arg(long)]
        consumers: bool,
    },
    /// Writes the npm package to `pkg/` and the static site to `dist/`.
    Build,
    /// Measures the library and the baselines, in browsers and natively.
    Bench(bench::Options),
    /// Looks at the sources without running them: formatting, lints, types, the public surface.
    Check {
        /// Instead makes the TypeScript definitions as they are the reviewed ones, docs/api.d.ts.
        #[arg(long)]
        accept_api: bool,
    },
    /// Checks the version and the changelog, and lists what the packages would hold.
    Release {
        /// Nothing is published: that is done by hand.
        #[arg(long, required = true)]
        dry_run: bool,
    },
}

fn main() -> Result<()> {
    let command = Command::parse();
    let shell = Shell::new()?;
    // A file that the caller names lies where the caller is.
    let start = std::env::current_dir()?;
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
            config.map(|file| start.join(file)),
            &server,
        ),
        Command::Test { consumers: false } => test::test(&shell),
        Command::Test { consumers: true } => test::consumers(&shell),
        Command::Build => build::build(&shell),
        Command::Bench(options) => bench::bench(&shell, &options),
        Command::Check { accept_api: false } => check::check(&shell),
        Command::Check { accept_api: true } => api::accept(&shell),
        Command::Release { .. } => release::dry_run(&shell),
    }
}

/// Tells the person at the terminal what happens now, and how many seconds have passed.
fn say(what: &str) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    eprintln!("\x1b[1m· {:>4} s  {what}\x1b[0m", START.elapsed().as_secs());
}
