//! The reviewed copy of the TypeScript definitions that are generated from Rust, so that every
//! change of the public surface shows in a diff. What is written by hand stands in `pkg/*.d.ts`.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{build, tools};

const REVIEWED: &str = "docs/api.d.ts";

/// Compares the definitions with the reviewed copy.
pub fn check(shell: &Shell) -> Result<()> {
    let now = "target/api.d.ts";
    shell.write_file(now, report(shell)?)?;
    cmd!(shell, "git --no-pager diff --no-index -- {REVIEWED} {now}")
        .quiet()
        .run()
        .context("the public surface has changed; `cargo xtask check --accept-api` accepts that")
}

/// Makes the definitions the reviewed copy.
pub fn accept(shell: &Shell) -> Result<()> {
    tools::for_building(shell)?;
    build::package(shell)?;
    shell.write_file(REVIEWED, report(shell)?)?;
    Ok(())
}

/// Those of the generated declarations that are published, by name: the compiler orders them anew
/// with each change of the code.
fn report(shell: &Shell) -> Result<String> {
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

/// `Session` of `export type Session = …`.
fn name(declaration: &str) -> Option<&str> {
    let line = declaration
        .lines()
        .find(|line| line.starts_with("export "))?;
    let word = line.split_whitespace().nth(2)?;
    word.split(|c: char| !c.is_alphanumeric()).next()
}
