//! Measures a model by its files.

use api::image;
use sculpt::Format;

use crate::emulators::samples::gltf_json;

/// The properties of a model's files.
pub struct Measurements {
    /// The corners of the bounding box.
    pub min: [f32; 3],
    pub max: [f32; 3],
    pub faces: usize,
    /// The longest edge of all textures, in pixels; 0 without any.
    pub texture_size: u32,
    /// Whether the OBJ has faces of four vertices.
    pub has_quads: bool,
}

impl Measurements {
    /// Measures a model by its GLB and its OBJ.
    pub fn new(glb: &[u8], obj: &str) -> Self {
        let (mut min, mut max) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
        for position in obj.lines().filter_map(|line| line.strip_prefix("v ")) {
            for (axis, number) in position.split(' ').enumerate() {
                let number: f32 = number.parse().unwrap();
                min[axis] = min[axis].min(number);
                max[axis] = max[axis].max(number);
            }
        }
        Self {
            min,
            max,
            faces: obj.lines().filter(|line| line.starts_with("f ")).count(),
            texture_size: texture_size(glb),
            has_quads: Self::has_quads(obj),
        }
    }

    /// Measures a model by its GLB alone.
    pub fn of_glb(glb: &[u8]) -> Self {
        let obj = sculpt::convert(glb, Format::Obj).unwrap();
        Self::new(glb, &String::from_utf8(obj).unwrap())
    }

    /// Returns whether an OBJ has faces of four vertices.
    pub fn has_quads(obj: &str) -> bool {
        let mut faces = obj.lines().filter(|line| line.starts_with("f "));
        faces.any(|face| face.split(' ').count() == 5)
    }

    /// Returns the size of the bounding box.
    pub fn extent(&self) -> [f32; 3] {
        [0, 1, 2].map(|axis| self.max[axis] - self.min[axis])
    }
}

fn texture_size(glb: &[u8]) -> u32 {
    let json = gltf_json(glb);
    let json_length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    let bin = &glb[20 + json_length + 8..];
    let images = json["images"].as_array().into_iter().flatten();
    let sizes = images.map(|image| {
        let view = &json["bufferViews"][image["bufferView"].as_u64().unwrap() as usize];
        let number = |name: &str| view[name].as_u64().unwrap() as usize;
        let bytes = &bin[number("byteOffset")..][..number("byteLength")];
        let image = image::load_from_memory(bytes).unwrap();
        image.width().max(image.height())
    });
    sizes.max().unwrap_or(0)
}
