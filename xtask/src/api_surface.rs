//! The reviewed copy of the TypeScript definitions that are generated from Rust: it shows every
//! change of the public surface in a diff. Definitions written by hand are in `pkg/*.d.ts`.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{build, tools};

const REVIEWED: &str = "docs/api.d.ts";

/// Fails if the definitions differ from the reviewed copy, and prints the difference.
pub fn check(shell: &Shell) -> Result<()> {
    let current = "target/api.d.ts";
    shell.write_file(current, published_declarations(shell)?)?;
    cmd!(
        shell,
        "git --no-pager diff --no-index -- {REVIEWED} {current}"
    )
    .quiet()
    .run()
    .context("The public surface has changed. Run `cargo xtask check --accept-api` to accept it.")
}

/// Replaces the reviewed copy with the definitions.
pub fn accept(shell: &Shell) -> Result<()> {
    tools::ensure_build_tools(shell)?;
    build::package(shell)?;
    shell.write_file(REVIEWED, published_declarations(shell)?)?;
    Ok(())
}

/// Returns the published declarations, sorted by name: their order in the generated file changes
/// with any change of the code.
fn published_declarations(shell: &Shell) -> Result<String> {
    let generated = shell.read_file("pkg/wasm/csm_image_to_3d.d.ts")?;
    let published = shell.read_file("pkg/index.d.ts")?;
    let is_published = |name: &str| {
        let mut words = published.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word == name)
    };
    let mut declarations = Vec::new();
    let mut current = String::new();
    for line in generated.lines().filter(|line| !line.is_empty()) {
        current.push_str(line);
        current.push('\n');
        let ends = !line.starts_with([' ', '/']) && line.ends_with([';', '}']);
        if ends {
            let declaration = std::mem::take(&mut current);
            if let Some(name) = name(&declaration).filter(|name| is_published(name)) {
                declarations.push((name.to_owned(), declaration));
            }
        }
    }
    declarations.sort();
    let texts: Vec<_> = declarations.into_iter().map(|(_, text)| text).collect();
    let first = "// Accepted with `cargo xtask check --accept-api`.";
    Ok(format!("{first}\n\n{}", texts.join("\n")))
}

/// Returns `Session` for `export type Session = …`.
fn name(declaration: &str) -> Option<&str> {
    let line = declaration
        .lines()
        .find(|line| line.starts_with("export "))?;
    let word = line.split_whitespace().nth(2)?;
    word.split(|c: char| !c.is_alphanumeric()).next()
}
