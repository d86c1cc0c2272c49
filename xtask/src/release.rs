//! Builds the packages of a release without publishing them. Publishing is `npm publish` in `pkg/`
//! and `cargo publish`.

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::build::{self, VERSION};
use crate::console::step;
use crate::tools;

/// The crates that can be used from the Rust registry.
const CRATES: [&str; 4] = [
    "csm-image-to-3d-contract",
    "csm-image-to-3d-sculpt",
    "csm-image-to-3d-api",
    "csm-image-to-3d-server",
];

/// Checks version and changelog, and builds the npm package and the crates.
pub fn dry_run(shell: &Shell) -> Result<()> {
    let changelog = shell.read_file("CHANGELOG.md")?;
    let heading = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## "))
        .context("CHANGELOG.md has no section")?;
    ensure!(
        heading.starts_with(&format!("{VERSION}, ")),
        "Invalid newest section {heading:?} in CHANGELOG.md: expected \"{VERSION}, \" and a date"
    );
    step(&format!("the newest section of the changelog: {heading}"));

    tools::ensure_build_tools(shell)?;
    build::package(shell)?;
    step("the npm package");
    cmd!(shell, "npm pack --dry-run ./pkg").quiet().run()?;

    step("the crates, each compiled from its package");
    let packages = CRATES.iter().flat_map(|name| ["--package", name]);
    cmd!(shell, "cargo package --quiet --allow-dirty {packages...}")
        .quiet()
        .run()?;
    if heading.ends_with("unreleased") {
        step("to do before publishing: replace \"unreleased\" in the changelog by the date");
    }
    Ok(())
}
