//! Files outside this crate that the tests read.

use std::path::{Path, PathBuf};

/// Returns the path of a file, given by its path in the repository.
pub fn repository_path(path: &str) -> PathBuf {
    in_repository(path)
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// Returns the text of a file, given by its path in the repository.
pub fn repository_file(path: &str) -> String {
    let file = in_repository(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns the contents of the files in a folder of the repository, in the order of their names.
pub fn repository_files(folder: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(in_repository(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort_unstable();
    let files = paths.into_iter().map(|path| std::fs::read(path).unwrap());
    files.collect()
}
