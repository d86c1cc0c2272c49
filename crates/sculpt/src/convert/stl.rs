//! Binary STL, for printing.

use super::model::Model;

/// Writes the triangles, without texture.
pub fn write(model: &Model) -> Vec<u8> {
    let positions: Vec<_> = model.printed_positions().collect();
    let mut stl = vec![0; 80];
    stl.extend((model.triangles.len() as u32).to_le_bytes());
    for triangle in &model.triangles {
        let corners = triangle.map(|at| positions[at as usize].to_array());
        // A zero normal: programs compute it from the order of the corners.
        let numbers = [[0.0; 3]].into_iter().chain(corners).flatten();
        stl.extend(numbers.flat_map(f32::to_le_bytes));
        stl.extend([0; 2]);
    }
    stl
}
