//! Installs the missing tools that the project is built and tested with, into its own folder where
//! that is possible.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::console::step;

const CARGO_DENY: &str = "0.20.2";
const CARGO_ZIGBUILD: &str = "0.24.1";
const GECKODRIVER: &str = "0.36.0";
const WASM_PACK: &str = "0.15.1";
const ZIG: &str = "0.17.1";

/// Installs what building the package needs, and puts it on `PATH`.
pub fn ensure_build_tools(shell: &Shell) -> Result<()> {
    prepend_own_programs_to_path(shell)?;
    ensure_toolchain(shell)?;
    let lock = shell.read_file("Cargo.lock")?;
    let wasm_bindgen =
        locked_version(&lock, "wasm-bindgen").context("Cargo.lock does not list wasm-bindgen")?;
    // Without --locked: the lock file of 0.2.130 requires webpki-roots 1.0.11, and the registry offered
    // nothing newer than 1.0.10 ("failed to select a version"). The version of wasm-bindgen itself is
    // that of Cargo.lock. Try --locked again with each new version.
    install(
        shell,
        &Program {
            name: "wasm-bindgen",
            package: "wasm-bindgen-cli",
            version: wasm_bindgen,
            // Its default is TLS, which it needs only for WebDriver servers on other machines.
            flags: &["--no-default-features"],
        },
    )?;
    // It calls wasm-bindgen, and the wasm-opt of the npm packages.
    install(
        shell,
        &Program {
            name: "wasm-pack",
            package: "wasm-pack",
            version: WASM_PACK,
            flags: &["--locked"],
        },
    )?;
    npm_ci(shell)
}

/// Installs cargo-deny and puts it on `PATH`. Its build takes 68 s on 2 cores.
pub fn ensure_cargo_deny(shell: &Shell) -> Result<()> {
    prepend_own_programs_to_path(shell)?;
    install(
        shell,
        &Program {
            name: "cargo-deny",
            package: "cargo-deny",
            version: CARGO_DENY,
            flags: &["--locked"],
        },
    )
}

/// Installs zig, which compiles C and links for all platforms, and cargo-zigbuild, which lets cargo use
/// it. Both come from the Python registry: zig has no other package that needs no administrator.
pub fn ensure_zig(shell: &Shell) -> Result<()> {
    let folder = shell.current_dir().join(".tools/zig");
    let packages = [
        format!("cargo-zigbuild=={CARGO_ZIGBUILD}"),
        format!("ziglang=={ZIG}"),
    ];
    let installed = folder.join("installed");
    let wanted = packages.join("\n");
    if !shell.read_file(&installed).is_ok_and(|text| text == wanted) {
        step(&format!("installing {}", packages.join(" and ")));
        let flags = ["--quiet", "--disable-pip-version-check", "--upgrade"];
        cmd!(
            shell,
            "python3 -m pip install {flags...} --target {folder} {packages...}"
        )
        .run()
        .context("zig needs Python 3 with pip (package python3-pip on Debian)")?;
        shell.write_file(installed, wanted)?;
    }
    shell.set_var("PYTHONPATH", &folder);
    prepend_to_path(shell, [folder.join("bin")])
}

/// Installs the parts of the toolchain that `rust-toolchain.toml` lists. rustup does so at its first
/// command, unless its automatic installation is off.
pub fn ensure_toolchain(shell: &Shell) -> Result<()> {
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    for (file, kind, name) in [
        ("bin/rustfmt", "component", "rustfmt"),
        ("bin/cargo-clippy", "component", "clippy"),
        (
            "lib/rustlib/wasm32-unknown-unknown",
            "target",
            "wasm32-unknown-unknown",
        ),
    ] {
        if !Path::new(&sysroot).join(file).exists() {
            step(&format!("adding the Rust {kind} {name}"));
            cmd!(shell, "rustup {kind} add {name}").run()?;
        }
    }
    Ok(())
}

/// Installs the packages of the current folder's lock file, unless they are installed.
pub fn npm_ci(shell: &Shell) -> Result<()> {
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
        "npm not found. Install Node.js 20 or newer."
    );
    let folder = shell.current_dir().join("node_modules");
    step(&format!(
        "installing npm packages into {}",
        folder.display()
    ));
    cmd!(shell, "npm ci --no-audit --no-fund").run()?;
    shell.write_file(installed, lock)?;
    Ok(())
}

/// The paths of the browsers and their drivers.
pub struct Browsers {
    pub chromium: PathBuf,
    pub chromedriver: PathBuf,
    pub firefox: PathBuf,
    pub geckodriver: PathBuf,
}

/// Installs what the tests need, build tools included.
pub fn ensure_test_tools(shell: &Shell) -> Result<Browsers> {
    ensure_build_tools(shell)?;
    install(
        shell,
        &Program {
            name: "geckodriver",
            package: "geckodriver",
            version: GECKODRIVER,
            flags: &["--locked"],
        },
    )?;
    Ok(Browsers {
        chromium: chromium(shell)?,
        chromedriver: browser(shell, &["chromedriver"], "chromium-driver")?,
        firefox: browser(shell, &["firefox-esr", "firefox"], "firefox-esr")?,
        geckodriver: find(shell, &["geckodriver"]).context("geckodriver not found")?,
    })
}

/// Installs what the consumer tests need, build tools included, and returns the path of Chromium.
/// These tests install their npm packages themselves.
pub fn ensure_consumer_tools(shell: &Shell) -> Result<PathBuf> {
    ensure_build_tools(shell)?;
    chromium(shell)
}

fn chromium(shell: &Shell) -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    browser(shell, &names, "chromium")
}

/// Puts the project's own programs first, so that the tested versions are used.
fn prepend_own_programs_to_path(shell: &Shell) -> Result<()> {
    let root = shell.current_dir();
    prepend_to_path(
        shell,
        [root.join(".tools/bin"), root.join("node_modules/.bin")],
    )
}

/// Puts folders first in `PATH`, unless they are in it.
fn prepend_to_path<const N: usize>(shell: &Shell, folders: [PathBuf; N]) -> Result<()> {
    let path = shell.var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|folder| !folders.contains(folder));
    let all = std::env::join_paths(folders.iter().cloned().chain(others))?;
    shell.set_var("PATH", all);
    Ok(())
}

/// A program of the Rust registry.
struct Program<'a> {
    name: &'a str,
    package: &'a str,
    version: &'a str,
    flags: &'a [&'a str],
}

/// Builds a program into `.tools`, unless that version is on `PATH`.
fn install(shell: &Shell, program: &Program) -> Result<()> {
    let Program {
        name,
        package,
        version,
        flags,
    } = *program;
    let version_text = cmd!(shell, "{name} --version")
        .quiet()
        .ignore_stderr()
        .read();
    if version_text.is_ok_and(|text| text.split_whitespace().any(|word| word == version)) {
        return Ok(());
    }
    step(&format!("building {package} {version}"));
    let target = shell.current_dir().join(".tools/target");
    // Compiling with the package's own profile takes longer than all runs of the program.
    cmd!(
        shell,
        "cargo install --quiet --root .tools {package} --version {version} {flags...}"
    )
    .env("CARGO_TARGET_DIR", target)
    .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
    .env("CARGO_PROFILE_RELEASE_LTO", "off")
    .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
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
        step(&format!("installing {debian}"));
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
            "{} not found. Install it (package {debian} on Debian and Ubuntu).",
            names[0]
        ),
    }
}

fn find(shell: &Shell, names: &[&str]) -> Option<PathBuf> {
    let path = shell.var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let mut candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|path| path.is_file())
}

/// Returns the version of a package in a `Cargo.lock`.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"\nversion = \"");
    let start = lock.find(&name)? + name.len();
    lock[start..].split('"').next()
}
