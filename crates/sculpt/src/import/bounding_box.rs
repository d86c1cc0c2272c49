//! Sets a model's rotation, size and origin by a node above all others.

use glam::{DMat4, DVec3};
use serde_json::{Value, json};

use crate::box_size::BoxSize;
use crate::glb::{Glb, default_scene, is_plain, mesh_instances, root_nodes, unit_value, vectors};

/// Where a model is put.
pub struct Placement {
    /// The rotation about the y axis in radians, counterclockwise seen from above.
    pub rotation: f64,
    /// The size of the bounding box. Without ordered edges it is the model's own.
    pub size: BoxSize,
    /// The place of the origin in the bounding box, from -0.5 to 0.5 of its edges, counted from its
    /// center.
    pub pivot: DVec3,
}

/// Moves and scales a model into its bounding box. Returns `false` without a change if its bounding
/// box is unknown or its matrix would exceed 32-bit floats.
pub fn fit_bounding_box(file: &mut Glb, placement: &Placement) -> bool {
    let Some(scene) = default_scene(file) else {
        return false;
    };
    let roots = root_nodes(file, scene);
    let rotation = DMat4::from_rotation_y(placement.rotation);
    let Some((low, high)) = bounds(file, roots.clone(), rotation) else {
        return false;
    };
    let extent = high - low;
    // A flat model stays flat.
    let is_flat = extent.cmple(DVec3::ZERO);
    let scale = match placement.size.fit(extent) {
        Some(size) => DVec3::select(is_flat, DVec3::ONE, size / extent),
        None => DVec3::ONE,
    };
    let origin = low + extent * (placement.pivot + 0.5);
    let matrix = DMat4::from_scale(scale) * DMat4::from_translation(-origin) * rotation;
    let matrix = matrix.to_cols_array();
    if matrix.iter().any(|number| !(*number as f32).is_finite()) {
        return false;
    }
    let node = file.push("nodes", json!({ "matrix": matrix, "children": roots }));
    file.list_mut("scenes")[scene]["nodes"] = json!([node]);
    true
}

/// Returns the lowest and the highest corner of the bounding box; `None` if no position is known.
fn bounds(file: &Glb, roots: Vec<usize>, outer: DMat4) -> Option<(DVec3, DVec3)> {
    let mut bounds: Option<(DVec3, DVec3)> = None;
    for (mesh, matrix) in mesh_instances(file, roots, outer) {
        for primitive in mesh["primitives"].as_array().into_iter().flatten() {
            let accessor = file.referenced(&primitive["attributes"], "POSITION", "accessors");
            let points = accessor.map_or_else(Vec::new, |accessor| points(file, accessor));
            for point in points {
                let point = matrix.transform_point3(point);
                if point.is_finite() {
                    let (low, high) = bounds.get_or_insert((point, point));
                    (*low, *high) = (low.min(point), high.max(point));
                }
            }
        }
    }
    bounds
}

/// Returns all positions of an accessor; if they are packed in an unknown way, the corners of the box
/// that the file declares by `min` and `max`.
fn points(file: &Glb, accessor: &Value) -> Vec<DVec3> {
    let plain = Some(accessor).filter(|accessor| is_plain(file, accessor));
    let points = plain.and_then(|accessor| vectors::<3>(file, accessor));
    let points = points.map(|points| points.into_iter().map(DVec3::from).collect());
    points
        .or_else(|| declared_corners(accessor))
        .unwrap_or_default()
}

fn declared_corners(accessor: &Value) -> Option<Vec<DVec3>> {
    let unit = unit_value(accessor);
    let bound = |name: &str, axis: usize| Some(accessor.get(name)?.get(axis)?.as_f64()? / unit);
    let bounds = |axis| Some([bound("min", axis)?, bound("max", axis)?]);
    let [x, y, z] = [bounds(0)?, bounds(1)?, bounds(2)?];
    let corner = |at: usize| DVec3::new(x[at & 1], y[at >> 1 & 1], z[at >> 2 & 1]);
    Some((0..8).map(corner).collect())
}
