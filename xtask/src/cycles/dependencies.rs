use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What each file depends on.
pub type Dependencies = BTreeMap<PathBuf, BTreeSet<PathBuf>>;
