//! Looks at what a release would hold. Publishing itself is `npm publish` in `pkg/` and
//! `cargo publish`.

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::{build, say, tools};

/// The workspace's version: the one place where it stands. The build writes it into the npm package,
/// and cargo itself refuses a room whose version another's dependency does not allow.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn dry_run(shell: &Shell) -> Result<()> {
    let changelog = shell.read_file("CHANGELOG.md")?;
    let heading = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## "))
        .context("CHANGELOG.md: no section")?;
    ensure!(
        heading.starts_with(&format!("{VERSION}, ")),
        "CHANGELOG.md: its newest section is {heading:?}, expected: \"{VERSION}, \" and a date"
    );
    say(&format!("the changelog's newest section: {heading}"));

    tools::for_building(shell)?;
    build::package(shell)?;
    say("the npm package");
    cmd!(shell, "npm pack --dry-run ./pkg").quiet().run()?;

    for room in ["contract", "sculpt", "api", "server"] {
        say(&format!("the crate in {room}"));
        let manifest = format!("crates/{room}/Cargo.toml");
        cmd!(
            shell,
            "cargo package --quiet --list --allow-dirty --manifest-path {manifest}"
        )
        .quiet()
        .run()?;
    }
    if heading.ends_with("unreleased") {
        say("before it is published, the changelog's section needs its date");
    }
    Ok(())
}
