//! The meshes of a GLB file where its scene puts them.

use std::collections::{BTreeSet, VecDeque};

use glam::{DMat4, DQuat, DVec3};
use serde_json::Value;

use super::container::{Glb, numbers};

/// Returns the index of the scene that is shown; `None` if the file has no scene.
pub fn default_scene(file: &Glb) -> Option<usize> {
    let scene = file.json.get("scene").and_then(Value::as_u64);
    let scene = usize::try_from(scene.unwrap_or_default()).ok()?;
    (scene < file.list("scenes").len()).then_some(scene)
}

/// Returns the indices of a scene's topmost nodes.
pub fn root_nodes(file: &Glb, scene: usize) -> Vec<usize> {
    let scene = file.list("scenes").get(scene);
    scene.map_or_else(Vec::new, |scene| node_indices(&scene["nodes"]))
}

fn node_indices(list: &Value) -> Vec<usize> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| usize::try_from(item.as_u64()?).ok())
        .collect()
}

/// Returns the meshes of these nodes and of all below them, each with the matrix that takes its
/// points to the scene. `outer` is the matrix above the nodes.
pub fn mesh_instances(file: &Glb, nodes: Vec<usize>, outer: DMat4) -> Vec<(&Value, DMat4)> {
    let mut instances = Vec::new();
    let mut waiting: VecDeque<_> = nodes.into_iter().map(|node| (node, outer)).collect();
    let mut seen = BTreeSet::new();
    while let Some((node, outer)) = waiting.pop_front() {
        // Nodes are a tree; an invalid file may have them in a circle.
        if !seen.insert(node) {
            continue;
        }
        let Some(node) = file.list("nodes").get(node) else {
            continue;
        };
        let matrix = outer * node_matrix(node);
        if let Some(mesh) = file.referenced(node, "mesh", "meshes") {
            instances.push((mesh, matrix));
        }
        let children = node_indices(&node["children"]);
        waiting.extend(children.into_iter().map(|child| (child, matrix)));
    }
    instances
}

/// Returns the matrix of a node: its `matrix`, or the product of its translation, rotation and scale.
fn node_matrix(node: &Value) -> DMat4 {
    if node.get("matrix").is_some() {
        return DMat4::from_cols_array(&numbers(&node["matrix"], [0.0; 16]));
    }
    let rotation = numbers(&node["rotation"], [0.0, 0.0, 0.0, 1.0]);
    DMat4::from_scale_rotation_translation(
        DVec3::from(numbers(&node["scale"], [1.0; 3])),
        DQuat::from_array(rotation),
        DVec3::from(numbers(&node["translation"], [0.0; 3])),
    )
}
