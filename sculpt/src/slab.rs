//! The slab: a thin closed box with the picture on its front, which looks towards +z.

use gltf::json::material::{Material, PbrBaseColorFactor, PbrMetallicRoughness, StrengthFactor};
use gltf::json::mesh::{Primitive, Semantic};

use crate::glb::Glb;

/// How thick the slab is, as a part of its longer edge.
const DEPTH: f64 = 0.05;

/// The slab's width, height and depth: `scaled_bbox` itself, or the picture's proportions with the
/// longer edge as 1.
pub fn size(width: u32, height: u32, scaled_bbox: Option<[f64; 3]>) -> Result<[f32; 3], String> {
    let longer = f64::from(width.max(height));
    let size =
        scaled_bbox.unwrap_or([f64::from(width) / longer, f64::from(height) / longer, DEPTH]);
    let size = size.map(|edge| edge as f32);
    if size.iter().all(|edge| edge.is_normal()) {
        Ok(size)
    } else {
        Err(format!(
            "a model of {size:?} is beyond what 32-bit numbers can hold"
        ))
    }
}

/// Four corners a side, so that each side has its own normal.
#[derive(Default)]
struct Mesh {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    uvs: Vec<[f32; 2]>,
    indices: Vec<u16>,
}

impl Mesh {
    /// Adds the side of a box whose normal points along `axis`, to the positive or negative end.
    fn add_side(&mut self, axis: usize, sign: f32, size: [f32; 3], pivot: [f64; 3]) {
        // Seen from outside, `right` and `up` are so that the corners go counterclockwise.
        let (right, up) = ((axis + 1) % 3, (axis + 2) % 3);
        let first = self.positions.len() as u16;
        for (u, v) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
            let mut unit = [0.0; 3];
            unit[axis] = 0.5 * f64::from(sign);
            unit[right] = (u - 0.5) * f64::from(sign);
            unit[up] = v - 0.5;
            let corner = |at: usize| ((unit[at] - pivot[at]) * f64::from(size[at])) as f32;
            self.positions.push([corner(0), corner(1), corner(2)]);
            let mut normal = [0.0; 3];
            normal[axis] = sign;
            self.normals.push(normal);
            // A texture's rows go downwards.
            self.uvs.push([u as f32, 1.0 - v as f32]);
        }
        self.indices
            .extend([0, 1, 2, 0, 2, 3].map(|corner| first + corner));
    }

    fn write(&self, glb: &mut Glb, material: Material, textured: bool) -> Primitive {
        let mut attributes = vec![
            (Semantic::Positions, glb.vectors(&self.positions, true)),
            (Semantic::Normals, glb.vectors(&self.normals, false)),
        ];
        if textured {
            attributes.push((Semantic::TexCoords(0), glb.vectors(&self.uvs, false)));
        }
        let indices = glb.indices(&self.indices);
        glb.primitive(attributes, indices, material)
    }
}

/// The slab as a GLB. `pivot` is where the origin lies, in parts of the box around its centre.
pub fn write(size: [f32; 3], pivot: [f64; 3], texture: Option<&[u8]>) -> Result<Vec<u8>, String> {
    const Z: usize = 2;
    let (mut front, mut others) = (Mesh::default(), Mesh::default());
    for (axis, sign) in [(0, 1.0), (0, -1.0), (1, 1.0), (1, -1.0), (Z, -1.0)] {
        others.add_side(axis, sign, size, pivot);
    }
    front.add_side(Z, 1.0, size, pivot);

    let mut glb = Glb::default();
    let mut picture = plain();
    if let Some(png) = texture {
        picture.pbr_metallic_roughness.base_color_factor = PbrBaseColorFactor::default();
        picture.pbr_metallic_roughness.base_color_texture = Some(glb.png(png));
    }
    let sides = vec![
        front.write(&mut glb, picture, texture.is_some()),
        others.write(&mut glb, plain(), false),
    ];
    glb.finish(sides)
}

fn plain() -> Material {
    Material {
        pbr_metallic_roughness: PbrMetallicRoughness {
            base_color_factor: PbrBaseColorFactor([0.8, 0.8, 0.8, 1.0]),
            metallic_factor: StrengthFactor(0.0),
            ..Default::default()
        },
        ..Default::default()
    }
}
