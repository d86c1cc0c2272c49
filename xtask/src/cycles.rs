//! Finds import cycles between the files of a crate, and between JavaScript modules.
//!
//! A Rust file depends on the files that define the items it names: `use` declarations and inline
//! paths are followed through re-exports and aliases. Declaring a submodule or re-exporting its
//! items is no dependency, and neither is code under `#[cfg(test)]`. A JavaScript module depends on
//! what it imports; types in comments do not count.

mod dependencies;
mod rust;
mod scripts;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use xshell::{Shell, cmd};

use dependencies::Dependencies;

/// Fails if files of a crate or JavaScript modules import each other in a circle, and lists those.
pub fn check(shell: &Shell) -> Result<()> {
    let files = cmd!(shell, "git ls-files --cached --others --exclude-standard")
        .quiet()
        .read()?;
    let files: Vec<_> = files.lines().filter(|f| Path::new(f).exists()).collect();
    let mut cycles = Vec::new();
    for root in files.iter().filter(|file| is_crate_root(file)) {
        let dependencies = rust::dependencies(Path::new(root))?;
        cycles.extend(find_cycles(&dependencies));
    }
    let is_script = |file: &&&str| file.ends_with(".js") || file.ends_with(".jsx");
    cycles.extend(find_cycles(&scripts::dependencies(
        files.iter().filter(is_script).map(Path::new),
    )?));
    ensure!(
        cycles.is_empty(),
        "import cycles between files:\n{}",
        cycles.join("\n")
    );
    Ok(())
}

/// `src/lib.rs`, `src/main.rs` and the `main.rs` of a test binary.
fn is_crate_root(file: &str) -> bool {
    let mut parents = file.rsplit('/');
    matches!(
        [parents.next(), parents.next(), parents.next()],
        [Some("lib.rs" | "main.rs"), Some("src"), _] | [Some("main.rs"), Some(_), Some("tests")]
    )
}

/// One line for each group of files that depend on each other.
fn find_cycles(dependencies: &Dependencies) -> Vec<String> {
    let mut graph = DiGraphMap::<&Path, ()>::new();
    for (file, targets) in dependencies {
        for target in targets.iter().filter(|target| *target != file) {
            graph.add_edge(file, target, ());
        }
    }
    let groups = tarjan_scc(&graph).into_iter();
    groups
        .filter(|group| group.len() > 1)
        .map(|group| {
            let members: BTreeSet<_> = group.into_iter().collect();
            let inside = graph
                .all_edges()
                .filter(|(from, to, ())| members.contains(from) && members.contains(to));
            let mut edges: Vec<_> = inside
                .map(|(from, to, ())| format!("  {} -> {}", from.display(), to.display()))
                .collect();
            edges.sort();
            edges.join("\n") + "\n"
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the cycles of a crate with these files.
    fn cycles_of(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let dependencies = rust::dependencies(&folder.path().join("lib.rs")).unwrap();
        let prefix = format!("{}/", folder.path().display());
        let cycles = find_cycles(&dependencies).into_iter();
        cycles.map(|cycle| cycle.replace(&prefix, "")).collect()
    }

    const CYCLE: &str = "  a.rs -> b.rs\n  b.rs -> a.rs\n";

    #[test]
    fn finds_a_cycle_of_use_declarations() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::{B}; pub struct A(B);"),
            ("b.rs", "use super::a::A; pub struct B(Option<Box<A>>);"),
        ];
        assert_eq!(cycles_of(&files), [CYCLE]);
    }

    #[test]
    fn follows_re_exports_aliases_globs_and_macro_arguments() {
        let lib = "mod a; mod b; mod c; pub use a::A;";
        let a = "use crate::b as other; pub struct A; pub fn a() { other::b() }";
        for b in [
            "use crate::A; pub fn b() { A; }",
            "use crate::c::*; pub fn b() { A; }",
            "pub fn b() { println!(\"{:?}\", crate::a::a()) }",
            "pub fn b() { let _: super::A; }",
        ] {
            let files = [("lib.rs", lib), ("a.rs", a), ("b.rs", b)];
            let files = [&files[..], &[("c.rs", "pub use crate::a::A;")]].concat();
            assert_eq!(cycles_of(&files), [CYCLE], "{b}");
        }
    }

    #[test]
    fn allows_submodules_re_exports_and_tests() {
        let files = [
            ("lib.rs", "mod a; pub use a::A; pub use a::inner::B;"),
            (
                "a/mod.rs",
                "pub mod inner; pub struct A(pub inner::B);
                 #[cfg(test)] mod tests { use crate::A; }",
            ),
            (
                "a/inner.rs",
                "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
            ),
        ];
        assert_eq!(cycles_of(&files), [""; 0]);
    }

    #[test]
    fn a_definition_in_the_crate_root_counts() {
        let files = [
            ("lib.rs", "mod a; pub struct A; pub fn run() { a::a() }"),
            ("a.rs", "use crate::A; pub fn a() { A; }"),
        ];
        let cycle = "  a.rs -> lib.rs\n  lib.rs -> a.rs\n";
        assert_eq!(cycles_of(&files), [cycle]);
    }
}
