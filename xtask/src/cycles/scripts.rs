//! The dependencies between JavaScript modules.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use regex::Regex;

use super::dependencies::Dependencies;

/// Returns what each JavaScript module imports by a relative path.
pub fn dependencies<'a>(files: impl Iterator<Item = &'a Path>) -> Result<Dependencies> {
    let import = Regex::new(r#"(?:\bfrom|^import|\bimport\()\s*"(\.[^"]+)""#)?;
    let mut dependencies = Dependencies::new();
    for file in files {
        let text = std::fs::read_to_string(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let code = text.lines().map(str::trim_start);
        let code = code.filter(|line| !line.starts_with(['*', '/']));
        let targets = code.flat_map(|line| import.captures_iter(line));
        let targets = targets.map(|found| normalised(&folder.join(&found[1])));
        dependencies.insert(file.to_owned(), targets.collect());
    }
    Ok(dependencies)
}

/// A path without `.` and `..`.
fn normalised(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_static_and_dynamic_imports_but_no_types() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.js");
        let text = "import { b } from \"./b.js\";\nimport \"./c.js\";\nexport * from \"./d.js\";\n\
                    const e = await import(\"../e.js\");\n/** @import { F } from \"./f.js\" */\n\
                    /**\n * @type {import(\"./g.js\").G}\n */\nimport fs from \"node:fs\";\n";
        std::fs::write(&file, text).unwrap();
        let found = dependencies([file.as_path()].into_iter()).unwrap();
        let mut names: Vec<_> = found[&file]
            .iter()
            .filter_map(|path| path.file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["b.js", "c.js", "d.js", "e.js"]);
    }
}
