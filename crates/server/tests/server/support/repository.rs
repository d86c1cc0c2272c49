//! Files outside this crate that the tests read.

use std::path::Path;

/// Returns the text of a file, given by its path in the repository.
pub fn repository_file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
