//! A model's place and size, by a node above all others.

use serde_json::{Value, json};

use super::accessor;
use super::container::{Glb, number};

/// A matrix by its columns.
type Matrix = [[f64; 4]; 4];

const HERE: Matrix = [
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
    [0.0, 0.0, 0.0, 1.0],
];

/// More nodes above each other than this are a circle.
const DEEPEST: usize = 100;

/// Turns the model about the y axis (in parts of a full turn), makes its box this large where a
/// `size` is named, and puts the origin at this place in the box, in parts of it from the centre.
/// False where its box cannot be told: it is left as it is then.
pub fn place(file: &mut Glb, turns: f64, size: Option<[f64; 3]>, pivot: [f64; 3]) -> bool {
    let (sin, cos) = (std::f64::consts::TAU * turns).sin_cos();
    let mut turned = HERE;
    (turned[0][0], turned[0][2]) = (cos, -sin);
    (turned[2][0], turned[2][2]) = (sin, cos);
    let scene = file.json.get("scene").and_then(Value::as_u64);
    let scene = scene.unwrap_or_default() as usize;
    let roots = match file.list("scenes").get(scene) {
        Some(scene) => scene["nodes"].clone(),
        None => return false,
    };
    let mut bounds = Bounds::default();
    for root in indices(&roots) {
        bounds.add(file, root, turned, 0);
    }
    let Some((low, high)) = bounds.0 else {
        return false;
    };
    let mut matrix = turned;
    for axis in 0..3 {
        let own = high[axis] - low[axis];
        // What is flat stays so.
        let scale = match size {
            Some(size) if own > 0.0 => size[axis] / own,
            _ => 1.0,
        };
        let origin = low[axis] + own * (pivot[axis] + 0.5);
        for column in &mut matrix {
            column[axis] *= scale;
        }
        matrix[3][axis] = -origin * scale;
    }
    let matrix: Vec<f64> = matrix.into_iter().flatten().collect();
    if matrix.iter().any(|number| !(*number as f32).is_finite()) {
        return false;
    }
    let node = file.push("nodes", json!({ "matrix": matrix, "children": roots }));
    file.list_mut("scenes")[scene]["nodes"] = json!([node]);
    true
}

#[derive(Default)]
struct Bounds(Option<([f64; 3], [f64; 3])>);

impl Bounds {
    /// Widened by a node and those below it. `outer` is where the node above it is.
    fn add(&mut self, file: &Glb, node: usize, outer: Matrix, depth: usize) {
        let Some(node) = file.list("nodes").get(node).filter(|_| depth < DEEPEST) else {
            return;
        };
        let here = times(outer, matrix(node));
        let mesh = number(node, "mesh").and_then(|mesh| file.list("meshes").get(mesh));
        let primitives = mesh.and_then(|mesh| mesh["primitives"].as_array());
        for primitive in primitives.into_iter().flatten() {
            let accessor = number(&primitive["attributes"], "POSITION");
            let accessor = accessor.and_then(|index| file.list("accessors").get(index));
            for corner in accessor.map_or_else(Vec::new, |accessor| points(file, accessor)) {
                self.widen(corner, here);
            }
        }
        for child in indices(&node["children"]) {
            self.add(file, child, here, depth + 1);
        }
    }

    fn widen(&mut self, [x, y, z]: [f64; 3], here: Matrix) {
        let place = [0, 1, 2]
            .map(|row| here[0][row] * x + here[1][row] * y + here[2][row] * z + here[3][row]);
        if place.iter().any(|number| !number.is_finite()) {
            return;
        }
        let (low, high) = self.0.get_or_insert((place, place));
        for axis in 0..3 {
            low[axis] = low[axis].min(place[axis]);
            high[axis] = high[axis].max(place[axis]);
        }
    }
}

/// All places of an accessor; where they are packed in a way that is not known here, the corners of
/// the box that the file names.
fn points(file: &Glb, accessor: &Value) -> Vec<[f64; 3]> {
    let points = accessor::vectors(file, accessor);
    points.or_else(|| corners(accessor)).unwrap_or_default()
}

fn corners(accessor: &Value) -> Option<Vec<[f64; 3]>> {
    let one = accessor::one(accessor);
    let bound = |name: &str, axis: usize| Some(accessor.get(name)?.get(axis)?.as_f64()? / one);
    let bounds = |axis| Some([bound("min", axis)?, bound("max", axis)?]);
    let [x, y, z] = [bounds(0)?, bounds(1)?, bounds(2)?];
    let corner = |at: usize| [x[at & 1], y[at >> 1 & 1], z[at >> 2 & 1]];
    Some((0..8).map(corner).collect())
}

fn indices(list: &Value) -> impl Iterator<Item = usize> + '_ {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| usize::try_from(item.as_u64()?).ok())
}

/// Where a node puts what is in it.
fn matrix(node: &Value) -> Matrix {
    fn numbers<const N: usize>(value: &Value, default: [f64; N]) -> [f64; N] {
        let items = value.as_array().filter(|items| items.len() == N);
        let Some(items) = items else {
            return default;
        };
        std::array::from_fn(|at| items[at].as_f64().unwrap_or(default[at]))
    }
    if node.get("matrix").is_some() {
        let all = numbers(&node["matrix"], [0.0; 16]);
        return std::array::from_fn(|column| std::array::from_fn(|row| all[4 * column + row]));
    }
    let [x, y, z, w] = numbers(&node["rotation"], [0.0, 0.0, 0.0, 1.0]);
    let scale = numbers(&node["scale"], [1.0; 3]);
    let [right, up, out] = numbers(&node["translation"], [0.0; 3]);
    let columns = [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y + z * w),
            2.0 * (x * z - y * w),
        ],
        [
            2.0 * (x * y - z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z + x * w),
        ],
        [
            2.0 * (x * z + y * w),
            2.0 * (y * z - x * w),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ];
    let mut matrix = HERE;
    for axis in 0..3 {
        for row in 0..3 {
            matrix[axis][row] = columns[axis][row] * scale[axis];
        }
    }
    matrix[3] = [right, up, out, 1.0];
    matrix
}

fn times(a: Matrix, b: Matrix) -> Matrix {
    b.map(|column| [0, 1, 2, 3].map(|row| (0..4).map(|at| a[at][row] * column[at]).sum()))
}
