//! Builds and checks everything that a release consists of, without publishing it. Publishing is
//! `npm publish` for each file of `target/release-files/npm`, and `cargo publish`.

mod platform;
mod server;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

pub use platform::Platform;

use crate::build::{self, VERSION};
use crate::console::step;
use crate::files::{copy_folder, sha256};
use crate::{notices, tools};

/// The folder of the files to publish.
const FOLDER: &str = "target/release-files";

/// The crates that can be used from the Rust registry.
const CRATES: [&str; 6] = [
    "csm-image-to-3d-contract",
    "csm-image-to-3d-decode",
    "csm-image-to-3d-cutout",
    "csm-image-to-3d-sculpt",
    "csm-image-to-3d-api",
    "csm-image-to-3d-server",
];

/// Builds the release for the platforms, and tests what can run here.
pub fn release(shell: &Shell, platforms: &[Platform]) -> Result<()> {
    check_changelog(shell)?;
    notices::check(shell)?;
    let folder = shell.current_dir().join(FOLDER);
    shell.remove_path(&folder)?;
    let npm = shell.create_dir(folder.join("npm"))?;

    build::build(shell)?;
    step("the npm package");
    library_package(shell, platforms, &npm)?;

    tools::ensure_zig(shell)?;
    for &platform in platforms {
        let program = server::compile(shell, platform)?;
        let package = server::npm_package(shell, platform, &program, &npm)?;
        server::archive(shell, platform, &package, &folder)?;
        server::container(shell, platform, &package, &folder)?;
        shell.remove_path(package)?;
    }

    step("the crates, each compiled from its package");
    let packages = CRATES.iter().flat_map(|name| ["--package", name]);
    cmd!(shell, "cargo package --quiet --allow-dirty {packages...}")
        .quiet()
        .run()?;
    let crates = shell.create_dir(folder.join("crates"))?;
    for name in CRATES {
        shell.copy_file(format!("target/package/{name}-{VERSION}.crate"), &crates)?;
    }

    step("the packed packages on a machine without Rust, the other platforms, and the container");
    cmd!(
        shell,
        "cargo build --quiet --package csm-image-to-3d-server --example emulators"
    )
    .quiet()
    .run()?;
    let tests =
        ["npx", "platforms", "container"].map(|name| format!("tests/release/{name}.test.js"));
    cmd!(shell, "node --test --test-reporter spec {tests...}")
        .env("RELEASE", &folder)
        .quiet()
        .run()?;
    write_checksums(shell, &folder)?;
    step(&format!("everything to publish is in {FOLDER}"));
    Ok(())
}

/// Fails unless the newest section of the changelog is that of this version, or unreleased.
fn check_changelog(shell: &Shell) -> Result<()> {
    let changelog = shell.read_file("CHANGELOG.md")?;
    let heading = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## "))
        .context("CHANGELOG.md has no section")?;
    step(&format!("the newest section of the changelog: {heading}"));
    if heading == "[Unreleased]" {
        step(&format!(
            "to do before publishing: rename that section to \"[{VERSION}] - \" and the date"
        ));
    } else {
        ensure!(
            heading.starts_with(&format!("[{VERSION}] - ")),
            "Invalid newest section {heading:?} in CHANGELOG.md: expected \"[{VERSION}] - \" and a date"
        );
    }
    Ok(())
}

/// Packs the library's package with the servers as optional packages. They are not in its manifest in
/// the repository: until they are published, their names could be somebody else's.
fn library_package(shell: &Shell, platforms: &[Platform], npm: &Path) -> Result<()> {
    let package = npm.join("package");
    copy_folder(shell.current_dir().join("pkg"), &package)?;
    let servers: Vec<_> = platforms
        .iter()
        .map(|platform| format!("optionalDependencies.{}={VERSION}", platform.package()))
        .collect();
    // Keeps the order of the keys, by which Node.js chooses among the conditions of `exports`.
    {
        let _folder = shell.push_dir(&package);
        cmd!(shell, "npm pkg set {servers...}").quiet().run()?;
    }
    server::pack(shell, &package, npm)?;
    shell.remove_path(package)?;
    Ok(())
}

/// Writes the SHA-256 of each file to publish in the form that `sha256sum --check` reads.
fn write_checksums(shell: &Shell, folder: &Path) -> Result<()> {
    let mut lines = Vec::new();
    for subfolder in ["", "npm", "crates"] {
        for entry in fs::read_dir(folder.join(subfolder))? {
            let path = entry?.path();
            if path.is_file() {
                let hash = sha256(&fs::read(&path)?);
                lines.push(format!(
                    "{hash}  {}\n",
                    path.strip_prefix(folder)?.display()
                ));
            }
        }
    }
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    shell.write_file(folder.join("SHA256SUMS"), lines.concat())?;
    Ok(())
}
