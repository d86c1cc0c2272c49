//! What can be said of the sources without running them.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{api, build, say, tools};

pub fn check(shell: &Shell) -> Result<()> {
    say("formatting and lints of the Rust code");
    cmd!(shell, "cargo fmt --all --check").quiet().run()?;
    cmd!(
        shell,
        "cargo clippy --quiet --workspace --all-targets -- --deny warnings"
    )
    .quiet()
    .run()?;
    tools::for_building(shell)?;
    cmd!(
        shell,
        "cargo clippy --quiet --target wasm32-unknown-unknown --all-targets -- --deny warnings"
    )
    .quiet()
    .run()?;
    build::package(shell)?;
    say("the public surface");
    api::check(shell)?;
    say("formatting and types of the JavaScript code");
    cmd!(shell, "prettier --check --log-level warn .")
        .quiet()
        .run()?;
    types(shell)
}

/// The JavaScript is checked against the types that the package publishes.
pub fn types(shell: &Shell) -> Result<()> {
    cmd!(shell, "tsc --project tsconfig.json").quiet().run()?;
    Ok(())
}
