//! Sets up the tools that the project is built and tested with: into its own folder where that is
//! possible, and only what is missing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::say;

const GECKODRIVER: &str = "0.36.0";

/// What building the package takes. Its programs are then found by name.
pub fn for_building(shell: &Shell) -> Result<()> {
    use_own_programs(shell)?;
    let target = "wasm32-unknown-unknown";
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    if !Path::new(&sysroot)
        .join("lib/rustlib")
        .join(target)
        .exists()
    {
        say("adding the Rust target for WebAssembly");
        cmd!(shell, "rustup target add {target}").run()?;
    }
    let lock = shell.read_file("Cargo.lock")?;
    let wasm_bindgen = locked(&lock, "wasm-bindgen").context("Cargo.lock names no wasm-bindgen")?;
    // Without --locked: what its lock file names need not be there any more.
    install(shell, "wasm-bindgen", "wasm-bindgen-cli", wasm_bindgen, &[])?;
    npm(shell)
}

/// What the current folder's lock file has.
pub fn npm(shell: &Shell) -> Result<()> {
    let lock = shell.read_file("package-lock.json")?;
    let installed = Path::new("node_modules/.installed-lock.json");
    if shell
        .read_file(installed)
        .is_ok_and(|installed| installed == lock)
    {
        return Ok(());
    }
    ensure!(
        cmd!(shell, "npm --version")
            .quiet()
            .ignore_stdout()
            .ignore_stderr()
            .run()
            .is_ok(),
        "npm is missing: install Node.js 20 or newer"
    );
    let folder = shell.current_dir().join("node_modules");
    say(&format!(
        "installing npm packages into {}",
        folder.display()
    ));
    cmd!(shell, "npm ci --no-audit --no-fund").run()?;
    shell.write_file(installed, lock)?;
    Ok(())
}

/// Where the browsers and their drivers are.
pub struct Browsers {
    pub chromium: PathBuf,
    pub chromedriver: PathBuf,
    pub firefox: PathBuf,
    pub geckodriver: PathBuf,
}

/// What the tests take beside that.
pub fn for_testing(shell: &Shell) -> Result<Browsers> {
    for_building(shell)?;
    install(
        shell,
        "geckodriver",
        "geckodriver",
        GECKODRIVER,
        &["--locked"],
    )?;
    Ok(Browsers {
        chromium: chromium(shell)?,
        chromedriver: browser(shell, &["chromedriver"], "chromium-driver")?,
        firefox: browser(shell, &["firefox-esr", "firefox"], "firefox-esr")?,
        geckodriver: find(shell, &["geckodriver"]).context("geckodriver is missing")?,
    })
}

/// What the consumers' tests take beside it: Chromium, which this answers. Their npm tools they
/// install themselves.
pub fn for_consumers(shell: &Shell) -> Result<PathBuf> {
    for_building(shell)?;
    chromium(shell)
}

fn chromium(shell: &Shell) -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    browser(shell, &names, "chromium")
}

/// The project's own programs come first, so that their versions are the ones that were tested.
fn use_own_programs(shell: &Shell) -> Result<()> {
    let root = shell.current_dir();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = [root.join(".tools/bin"), root.join("node_modules/.bin")];
    let all = own.into_iter().chain(std::env::split_paths(&path));
    shell.set_var("PATH", std::env::join_paths(all)?);
    Ok(())
}

/// Builds a program from the Rust registry into `.tools`, unless that version is at hand.
fn install(
    shell: &Shell,
    program: &str,
    package: &str,
    version: &str,
    flags: &[&str],
) -> Result<()> {
    let at_hand = cmd!(shell, "{program} --version")
        .quiet()
        .ignore_stderr()
        .read();
    if at_hand.is_ok_and(|text| text.split_whitespace().any(|word| word == version)) {
        return Ok(());
    }
    say(&format!(
        "building {package} {version} (some minutes, once)"
    ));
    let _target = shell.push_env(
        "CARGO_TARGET_DIR",
        shell.current_dir().join(".tools/target"),
    );
    cmd!(
        shell,
        "cargo install --quiet --root .tools {package} --version {version} {flags...}"
    )
    .run()?;
    Ok(())
}

fn browser(shell: &Shell, names: &[&str], debian: &str) -> Result<PathBuf> {
    if let Some(found) = find(shell, names) {
        return Ok(found);
    }
    let root = cmd!(shell, "id -u")
        .quiet()
        .read()
        .is_ok_and(|id| id == "0");
    if root && find(shell, &["apt-get"]).is_some() {
        say(&format!("installing {debian}"));
        let _quiet = shell.push_env("DEBIAN_FRONTEND", "noninteractive");
        cmd!(shell, "apt-get update -qq").run()?;
        cmd!(
            shell,
            "apt-get install -y -qq --no-install-recommends {debian}"
        )
        .ignore_stdout()
        .run()?;
    }
    match find(shell, names) {
        Some(found) => Ok(found),
        None => bail!(
            "{} is missing: install it ({debian} on Debian and Ubuntu)",
            names[0]
        ),
    }
}

fn find(shell: &Shell, names: &[&str]) -> Option<PathBuf> {
    let path = shell.var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let mut places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| place.is_file())
}

/// The version of a package in a `Cargo.lock`.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"\nversion = \"");
    let start = lock.find(&name)? + name.len();
    lock[start..].split('"').next()
}
