//! The notices with the licences of everything that the npm package and the server's program contain.
//! Own code instead of cargo-about: that one lists macros too, which are in neither, and 120 lines are
//! read faster than its templates and exceptions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xshell::{Shell, cmd};

/// A file of notices.
struct Notices {
    file: &'static str,
    /// What contains the crates, for the first sentence.
    product: &'static str,
    /// The package and the targets that it is compiled for.
    roots: &'static [(&'static str, &'static str)],
}

const ALL: [Notices; 2] = [
    Notices {
        file: "pkg/THIRD_PARTY_NOTICES.md",
        product: "The WebAssembly of the npm package `csm-image-to-3d`",
        roots: &[
            ("csm-image-to-3d", "wasm32-unknown-unknown"),
            ("csm-image-to-3d-api-wasm", "wasm32-unknown-unknown"),
            ("csm-image-to-3d-cutout-wasm", "wasm32-unknown-unknown"),
        ],
    },
    Notices {
        file: "crates/server/THIRD_PARTY_NOTICES.md",
        product: "The program `csm-image-to-3d-server`",
        roots: &[
            ("csm-image-to-3d-server", "x86_64-unknown-linux-musl"),
            ("csm-image-to-3d-server", "aarch64-apple-darwin"),
            ("csm-image-to-3d-server", "x86_64-pc-windows-gnu"),
        ],
    },
];

/// Writes the files of notices.
pub fn write(shell: &Shell) -> Result<()> {
    let packages = packages(shell)?;
    for notices in &ALL {
        shell.write_file(notices.file, notices.text(shell, &packages)?)?;
    }
    Ok(())
}

/// Fails if a file of notices differs from what [`write`] would write.
pub fn check(shell: &Shell) -> Result<()> {
    let packages = packages(shell)?;
    for notices in &ALL {
        let stored = shell.read_file(notices.file).unwrap_or_default();
        ensure!(
            stored == notices.text(shell, &packages)?,
            "{} is not up to date. Run `cargo xtask notices`.",
            notices.file
        );
    }
    Ok(())
}

/// Name and version.
type PackageId = (String, String);

/// A package, as `cargo metadata` describes it.
#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    authors: Vec<String>,
    repository: Option<String>,
    manifest_path: PathBuf,
    /// `None` for packages of this repository.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

fn packages(shell: &Shell) -> Result<BTreeMap<PackageId, Package>> {
    let json = cmd!(shell, "cargo metadata --locked --format-version 1")
        .quiet()
        .ignore_stderr()
        .read()?;
    let metadata: Metadata = serde_json::from_str(&json)?;
    let packages = metadata.packages.into_iter();
    Ok(packages
        .map(|package| ((package.name.clone(), package.version.clone()), package))
        .collect())
}

impl Notices {
    fn text(&self, shell: &Shell, packages: &BTreeMap<PackageId, Package>) -> Result<String> {
        let mut ids = BTreeSet::new();
        for (root, target) in self.roots {
            ids.extend(linked_packages(shell, root, target)?);
        }
        let mut crates = Vec::new();
        let mut networks = Vec::new();
        for id in &ids {
            let package = packages
                .get(id)
                .with_context(|| format!("cargo metadata does not list {} {}", id.0, id.1))?;
            match package.source {
                Some(_) => crates.push(package),
                None => networks.extend(network_texts(package)?),
            }
        }

        let mut text = format!(
            "<!-- Written by `cargo xtask notices`. -->\n\n# Third-party notices\n\n\
             {} contains the crates below, and the standard\n\
             library of Rust with its own dependencies, which `COPYRIGHT-library.html` of every Rust\n\
             toolchain lists. Where a licence offers a choice that includes MIT, MIT is chosen. The texts\n\
             of the licences follow the table.\n\n\
             | crate | version | licence |\n| --- | --- | --- |\n",
            self.product
        );
        // The users of each text, in the order of the first user.
        let mut texts: Vec<(String, Vec<String>)> = vec![(
            mit("The Rust Project contributors")?,
            vec!["the standard library of Rust".to_owned()],
        )];
        for package in crates {
            let Package { name, version, .. } = package;
            let licence = package.license.as_deref().unwrap_or_default();
            writeln!(text, "| {name} | {version} | {licence} |")?;
            for licence in licence_texts(package)? {
                let user = format!("{name} {version}");
                match texts.iter_mut().find(|(text, _)| *text == licence) {
                    Some((_, users)) => users.push(user),
                    None => texts.push((licence, vec![user])),
                }
            }
        }
        for text in networks {
            texts.push((
                text,
                vec!["the network that finds objects in images".into()],
            ));
        }
        for (licence, users) in texts {
            write!(
                text,
                "\n## {}\n\n```text\n{licence}\n```\n",
                users.join(", ")
            )?;
        }
        Ok(text)
    }
}

/// Returns the notice and the licence of the network that a package of this repository contains, if any.
fn network_texts(package: &Package) -> Result<Vec<String>> {
    let folder = package.manifest_path.with_file_name("model");
    let mut texts = Vec::new();
    if folder.exists() {
        for name in ["NOTICE", "LICENSE"] {
            let file = folder.join(name);
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            texts.push(normalized(&text));
        }
    }
    Ok(texts)
}

/// Returns the packages that are linked, without those of build scripts and macros.
fn linked_packages(shell: &Shell, root: &str, target: &str) -> Result<BTreeSet<PackageId>> {
    let flags = ["--edges", "normal,no-proc-macro", "--prefix", "none"];
    let list = cmd!(
        shell,
        "cargo tree --quiet --locked --package {root} --target {target} {flags...}"
    )
    .quiet()
    .read()?;
    let lines = list.lines().filter(|line| !line.is_empty());
    let ids = lines.map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next();
        let version = words.next().and_then(|word| word.strip_prefix('v'));
        match (name, version) {
            (Some(name), Some(version)) => Ok((name.to_owned(), version.to_owned())),
            _ => bail!("Unexpected line {line:?} of cargo tree: expected a name and a version"),
        }
    });
    ids.collect()
}

/// Returns the texts of a package's licences, and those of the code from elsewhere that it contains.
fn licence_texts(package: &Package) -> Result<Vec<String>> {
    let folder = package.manifest_path.parent();
    let folder = folder.context("a manifest without a folder")?;
    let mut files = Vec::new();
    find_licence_files(folder, &mut files)?;
    files.sort();
    let licence = package.license.as_deref().unwrap_or_default();
    let offers_mit =
        licence.split([' ', '/']).any(|word| word == "MIT") && !licence.contains("AND");
    let is_in_root = |file: &Path| file.parent() == Some(folder);
    let is_of_mit = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        is_in_root(file) && name.to_uppercase().contains("-MIT")
    };
    if offers_mit && files.iter().any(is_of_mit) {
        files.retain(|file| is_of_mit(file) || !is_in_root(file));
    }
    let mut texts = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        texts.push(normalized(&text));
    }
    if files.is_empty() {
        ensure!(
            offers_mit,
            "{} has no file with its licence, {licence:?}, and no choice of MIT. Do not use it.",
            folder.display()
        );
        texts.push(mit(&holder(package))?);
    }
    if package.name == "meshopt" {
        texts.push(meshoptimizer(folder)?);
    }
    Ok(texts)
}

/// The folders of code that is not linked.
const NOT_LINKED: [&str; 4] = ["tests", "examples", "benches", "fuzz"];

fn find_licence_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_uppercase();
        let starts = [
            "LICENSE",
            "LICENCE",
            "COPYING",
            "COPYRIGHT",
            "NOTICE",
            "UNLICENSE",
        ];
        if path.is_dir() {
            if !NOT_LINKED.contains(&name.to_lowercase().as_str()) {
                find_licence_files(&path, files)?;
            }
        } else if starts.iter().any(|start| name.starts_with(start)) && !name.ends_with(".RS") {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns who holds the copyright of a package that contains no text of its licence.
fn holder(package: &Package) -> String {
    let authors = package.authors.iter();
    let names = authors.map(|author| author.split(" <").next().unwrap_or(author).to_owned());
    let names: Vec<_> = names.collect();
    match (names.as_slice(), &package.repository) {
        ([], Some(repository)) => format!("The authors of {repository}"),
        ([], None) => format!("The authors of {}", package.name),
        (names, _) => names.join(", "),
    }
}

/// Returns the MIT licence with the name of another holder of the copyright.
fn mit(holder: &str) -> Result<String> {
    let own = include_str!("../../LICENSE-MIT");
    let (_, terms) = own
        .split_once("developers\n")
        .context("LICENSE-MIT has no line with the copyright")?;
    Ok(normalized(&format!(
        "MIT License\n\nCopyright (c) {holder}\n{terms}"
    )))
}

/// Returns the licence of the C++ library in the crate meshopt. It is at the end of the header only.
fn meshoptimizer(folder: &Path) -> Result<String> {
    let header = fs::read_to_string(folder.join("vendor/src/meshoptimizer.h"))?;
    let start = header.rfind("Copyright (c)");
    let comment = &header[start.context("meshoptimizer.h has no licence at its end")?..];
    let comment = comment.split("*/").next().unwrap_or(comment);
    let lines = comment
        .lines()
        .map(|line| line.trim_start_matches([' ', '*']));
    Ok(normalized(&lines.collect::<Vec<_>>().join("\n")))
}

/// Removes the differences between texts that mean nothing: indentation and spaces at the ends.
fn normalized(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the texts for a package with these files, each with its own name as the text.
    fn texts(licence: &str, files: &[&str]) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        licence_texts(&Package {
            name: "a".into(),
            version: "1.0.0".into(),
            license: Some(licence.into()),
            authors: vec!["Ada <ada@example.com>".into()],
            repository: None,
            manifest_path: folder.path().join("Cargo.toml"),
            source: None,
        })
    }

    #[test]
    fn chooses_mit_where_the_licence_offers_it() {
        let files = ["LICENSE-APACHE", "license-mit.txt", "src/lib.rs"];
        for licence in ["MIT OR Apache-2.0", "MIT/Apache-2.0", "Apache-2.0 OR MIT"] {
            assert_eq!(texts(licence, &files).unwrap(), ["license-mit.txt"]);
        }
    }

    #[test]
    fn takes_every_text_where_all_licences_apply() {
        let files = ["LICENSE-MIT", "LICENSE-UNICODE"];
        let licence = "MIT AND Unicode-3.0";
        assert_eq!(texts(licence, &files).unwrap(), files);
    }

    #[test]
    fn takes_the_texts_of_contained_code_but_not_of_its_tests() {
        let files = ["LICENSE-MIT", "src/spin/LICENSE", "tests/LICENSE"];
        let expected = ["LICENSE-MIT", "src/spin/LICENSE"];
        assert_eq!(texts("MIT", &files).unwrap(), expected);
    }

    #[test]
    fn writes_mit_with_the_authors_where_a_package_has_no_text() {
        let texts = texts("MIT OR Apache-2.0", &["src/lib.rs"]).unwrap();
        let start = "MIT License\n\nCopyright (c) Ada\n\nPermission";
        assert!(texts[0].starts_with(start), "{}", texts[0]);
    }

    #[test]
    fn fails_without_a_text_of_another_licence() {
        let error = texts("Apache-2.0", &["src/lib.rs"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("has no file with its licence"), "{error}");
    }
}
