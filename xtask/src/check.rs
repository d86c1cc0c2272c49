//! Checks the sources without running tests.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::console::step;
use crate::{api_surface, api_wasm, build, cycles, notices, openapi, reference, tools};

pub fn check(shell: &Shell) -> Result<()> {
    let _compilation = api_wasm::start(shell)?;
    step("import cycles");
    cycles::check(shell)?;
    step("the description of the API");
    openapi::check(shell)?;
    step("licences and sources of the dependencies");
    tools::ensure_cargo_deny(shell)?;
    cmd!(
        shell,
        "cargo deny --workspace --locked check --hide-inclusion-graph licenses bans sources"
    )
    .quiet()
    .run()?;
    notices::check(shell)?;
    step("formatting and lints of the Rust code");
    cmd!(shell, "cargo fmt --all --check").quiet().run()?;
    cmd!(
        shell,
        "cargo clippy --quiet --workspace --all-targets -- --deny warnings"
    )
    .quiet()
    .run()?;
    tools::ensure_build_tools(shell)?;
    cmd!(
        shell,
        "cargo clippy --quiet --target wasm32-unknown-unknown --all-targets -- --deny warnings"
    )
    .quiet()
    .run()?;
    build::package(shell)?;
    step("the public surface");
    api_surface::check(shell)?;
    reference::check(shell)?;
    step("formatting and types of the JavaScript code");
    cmd!(shell, "prettier --check --log-level warn .")
        .quiet()
        .run()?;
    types(shell)
}

/// Looks for known vulnerabilities in the dependencies. Not a part of [`check`]: its result changes
/// without a change in this repository, and GitHub cannot be reached from every machine that builds.
pub fn advisories(shell: &Shell) -> Result<()> {
    tools::ensure_cargo_deny(shell)?;
    cmd!(shell, "cargo deny --workspace --locked check advisories")
        .quiet()
        .run()?;
    Ok(())
}

/// Checks the JavaScript against the types that the package publishes.
pub fn types(shell: &Shell) -> Result<()> {
    cmd!(shell, "tsc --project tsconfig.json").quiet().run()?;
    Ok(())
}
