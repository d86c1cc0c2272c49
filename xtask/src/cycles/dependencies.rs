use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The files that each file depends on.
pub type Dependencies = BTreeMap<PathBuf, BTreeSet<PathBuf>>;
