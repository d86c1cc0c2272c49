//! The reference of the npm package: web pages that TypeDoc makes of the TypeScript definitions.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::console::step;
use crate::tools;

/// The folder of TypeDoc's configuration. It has packages of its own, because TypeDoc needs an older
/// TypeScript than the project.
const FOLDER: &str = "docs/reference";

/// Fails if a public item has no documentation, or the documentation links to a missing item.
pub fn check(shell: &Shell) -> Result<()> {
    type_doc(shell, &["--emit", "none"])
}

/// Writes the pages to `dist/docs/library/`. The package must have been built.
pub fn write(shell: &Shell) -> Result<()> {
    step("the reference of the npm package");
    type_doc(shell, &[])
}

fn type_doc(shell: &Shell, flags: &[&str]) -> Result<()> {
    let _folder = shell.push_dir(FOLDER);
    tools::npm_ci(shell)?;
    cmd!(
        shell,
        "node_modules/.bin/typedoc --logLevel Warn {flags...}"
    )
    .quiet()
    .run()?;
    Ok(())
}
