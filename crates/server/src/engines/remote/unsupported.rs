//! The parameters that no remote engine honours.

use contract::{Creativity, Parameters, PreviewMesh, RefineSpeed};

/// Returns the requested parameters that no remote engine honours.
pub fn unsupported_by_all(parameters: &Parameters) -> impl Iterator<Item = &'static str> {
    let is_free = |creativity| creativity != Creativity::Lowest;
    [
        ("creativity", parameters.creativity.is_some_and(is_free)),
        (
            "refine_speed",
            parameters.refine_speed == Some(RefineSpeed::Fast),
        ),
        ("auto_refine", parameters.auto_refine == Some(true)),
        (
            "preview_mesh",
            parameters.preview_mesh == Some(PreviewMesh::Turbo),
        ),
    ]
    .into_iter()
    .filter_map(|(name, is_requested)| is_requested.then_some(name))
}
